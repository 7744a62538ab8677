/** What of the fields after a pod's answer its client gets to see. Pure. */
import type { IncomingHttpHeaders } from 'node:http';
import { CONNECTION_FIELDS } from './connection-fields.ts';

/**
 * Fields that whoever reads them needs before the body: how it is framed, coded and kept, who may have it, and where else to go (RFC 9110 §6.5.1). After it they
 * are a way to smuggle something past who has looked at the head.
 */
const ONLY_IN_HEADS = new Set<string>([
  ...CONNECTION_FIELDS,
  'content-encoding',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'host',
  'age',
  'cache-control',
  'date',
  'expires',
  'location',
  'pragma',
  'retry-after',
  'vary',
  'authorization',
  'cookie',
  'proxy-authenticate',
  'proxy-authorization',
  'set-cookie',
  'www-authenticate',
]);

/** `te: trailers` is how a client says that it takes them, itself and for whoever is behind it (RFC 9110 §10.1.4). */
export function takesTrailers(te: string | undefined): boolean {
  return te?.split(',').some((coding) => coding.trim().toLowerCase() === 'trailers') === true;
}

export function trailerFields(trailers: IncomingHttpHeaders): IncomingHttpHeaders {
  const passed = Object.entries(trailers).filter(
    ([name]) => !ONLY_IN_HEADS.has(name) && !name.startsWith('pilotlight-') && !name.startsWith('access-control-'),
  );
  return Object.fromEntries(passed);
}
