/**
 * May a request begin in this pod? The pod is the truth about itself: a gateway only guesses, and sends a request elsewhere when it is refused here.
 *
 * | request names        | pod is   | in flight               | answer           |
 * |----------------------|----------|-------------------------|------------------|
 * | another pod          | any      | any                     | 421 WrongPod     |
 * | this pod, or none    | Starting | any                     | 503 NotReady     |
 * | this pod, or none    | Draining | any                     | 503 Draining     |
 * | this pod and a limit | Ready    | as many as the limit    | 429 LimitReached |
 * | this pod, or none    | Ready    | no room for this body   | 429 LimitReached |
 * | this pod, or none    | Ready    | fewer                   | admitted         |
 */
import type { IncomingHttpHeaders } from 'node:http';
import { REQUEST_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';

export type Phase = 'Starting' | 'Ready' | 'Draining';

export interface PodState {
  /** Absent where no gateway is in front, so nothing can name this pod. */
  readonly uid: string | undefined;
  readonly phase: Phase;
  /** Requests that were admitted and have not ended. */
  readonly inFlight: number;
  /** Bytes that one body may have, and that there is room for now. */
  readonly maxBodyBytes: number;
  readonly room: number;
}

/** The reason not to, or undefined: it may begin. */
export function decideAdmission(
  pod: PodState,
  headers: IncomingHttpHeaders,
  bytes = bodyBytes(pod, headers),
): NotAdmitted | undefined {
  if (namesAnotherPod(pod.uid, headers)) return 'WrongPod';
  if (pod.phase === 'Starting') return 'NotReady';
  if (pod.phase === 'Draining') return 'Draining';
  const limit = concurrencyLimit(pod.uid, headers);
  if (limit !== undefined && pod.inFlight >= limit) return 'LimitReached';
  return bytes > pod.room ? 'LimitReached' : undefined;
}

/**
 * Memory that is set aside for a request's body at its admission. A body that does not say its length, or is compressed, takes its memory as it comes
 * (`Gate.take`); one that says it is larger than is taken will be refused before it is read.
 */
export function bodyBytes({ maxBodyBytes }: Pick<PodState, 'maxBodyBytes'>, headers: IncomingHttpHeaders): number {
  if (isOfUnknownLength(headers)) return 0;
  return Math.min(Number(headers['content-length'] ?? 0), maxBodyBytes);
}

/** Does only the end of the request's body tell how much memory it takes? */
export function isOfUnknownLength(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || contentCoding(headers) !== undefined;
}

/** In lower case, for codings have none of their own (RFC 9110 §8.4.1); undefined for a body as it is. */
export function contentCoding(headers: IncomingHttpHeaders): string | undefined {
  const coding = headers['content-encoding']?.toLowerCase();
  return coding === 'identity' ? undefined : coding;
}

export function namesAnotherPod(uid: string | undefined, headers: IncomingHttpHeaders): boolean {
  const named = headers[REQUEST_HEADERS.podUid];
  return named !== undefined && named !== uid;
}

/** Requests that may be in the pod at once: the gateway's word; undefined if there is no limit. */
export function concurrencyLimit(uid: string | undefined, headers: IncomingHttpHeaders): number | undefined {
  return gatewayNumber(uid, headers, REQUEST_HEADERS.concurrencyLimit);
}

/** Milliseconds this request may take: the gateway's word, else `otherwise`. */
export function executionTimeout(uid: string | undefined, headers: IncomingHttpHeaders, otherwise: number): number {
  return gatewayNumber(uid, headers, REQUEST_HEADERS.timeout) ?? otherwise;
}

/**
 * A positive number that a gateway set. It counts only beside this pod's uid, which gateways alone know: whoever calls the pod directly could
 * otherwise have the process killed as hung with a timeout of 1 ms.
 */
function gatewayNumber(uid: string | undefined, headers: IncomingHttpHeaders, name: string): number | undefined {
  if (uid === undefined || headers[REQUEST_HEADERS.podUid] !== uid) return undefined;
  const value = headers[name];
  return typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined;
}
