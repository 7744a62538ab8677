/** A server's name for a version of a file: its ETag, or where it gives none the time of its last change. */
import type { ResponseHead } from '../http/response-head.ts';

/** A second version may have the same time for as long: it has whole seconds, and clocks differ (RFC 9110 §8.8.2.2). */
const SETTLED_MILLISECONDS = 60_000;

/** `Sun, 06 Nov 1994 08:49:37 GMT`; an ETag has quotes. */
const TIME = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} /;

/** A change of any of these is a change of the file. */
export function tagOf({ headers }: ResponseHead): string | undefined {
  return headers['etag'] ?? headers['last-modified'];
}

/** Asks for the file only if it has changed since it had this name. */
export function unlessUnchanged(tag: string): Readonly<Record<string, string>> {
  return TIME.test(tag) ? { 'if-modified-since': tag } : { 'if-none-match': tag };
}

/** Whether no later version will have this name. */
export function isSettled(tag: string, now: number): boolean {
  return !TIME.test(tag) || now - Date.parse(tag) >= SETTLED_MILLISECONDS;
}
