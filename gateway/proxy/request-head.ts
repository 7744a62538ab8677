/**
 * Reads a request's header fields once: what the gateway needs of them, and what of them a pod gets to see. Pure. Node's parser has already
 * rejected wrong framing: both content-length and transfer-encoding, two lengths, a length that is no number.
 */
import { parseGrpcTimeout } from '../../common/wire/grpc.ts';
import { CONNECTION_FIELDS, withoutConnectionOptions } from './connection-fields.ts';
import { takesTrailers } from './trailer-fields.ts';

export interface RequestHead {
  /** Empty if there was none (HTTP/1.0). */
  readonly host: string;
  /** Undefined for a chunked body or none. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  /** Milliseconds that a call of gRPC may take; undefined if it did not say. */
  readonly grpcTimeout: number | undefined;
  /** The client takes fields after the body of its answer. */
  readonly takesTrailers: boolean;
  /** Lower-case protocol names that the client would rather speak. */
  readonly upgrade: string | undefined;
  /** Name, value, name, value, …: for the pod, without what concerns this connection only or what the gateway sets itself. */
  readonly forwarded: readonly string[];
}

/**
 * Fields of one connection, not of the request (RFC 9110 §7.6.1; HTTP/2's pseudo-fields), and those that the gateway writes anew. `expect` is answered here: the pod gets
 * the body anyway.
 */
const NOT_FORWARDED = new Set<string>([
  ...CONNECTION_FIELDS,
  'proxy-authenticate',
  'proxy-authorization',
  ':method',
  ':scheme',
  ':authority',
  ':path',
  ':protocol',
  'grpc-timeout',
  'expect',
  'host',
  'content-length',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);

/** `"…"` instead of a head: why the request is not valid. */
export function readRequestHead(raw: readonly string[], client: string | undefined): RequestHead | string {
  let host: string | undefined;
  let contentLength: number | undefined;
  let chunked = false;
  let grpcTimeout: number | undefined;
  let upgrade: string | undefined;
  let te: string | undefined;
  let connection: string | undefined;
  let forwardedFor: string | undefined;
  let forwardedHost: string | undefined;
  let forwardedProto: string | undefined;
  let chain: string | undefined;
  const forwarded: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    const value = raw[at + 1] ?? '';
    if (!NOT_FORWARDED.has(name)) {
      // Only the gateway may speak to a pod by these names.
      if (!name.startsWith('pilotlight-')) forwarded.push(name, value);
      continue;
    }
    switch (name) {
      case ':authority':
      case 'host':
        if (host !== undefined && host !== value) return 'The request has two different host headers; send one.';
        host = value;
        break;
      case 'content-length':
        contentLength = Number(value);
        break;
      case 'transfer-encoding':
        // Node undoes the chunks alone, and the pod would take what is left for the body.
        if (value.toLowerCase() !== 'chunked') return 'The request has another transfer-encoding than chunked.';
        chunked = true;
        break;
      case 'grpc-timeout':
        grpcTimeout = parseGrpcTimeout(value);
        break;
      case 'te':
        te = te === undefined ? value : `${te},${value}`;
        break;
      case 'upgrade':
        upgrade = value.toLowerCase();
        break;
      case 'connection':
        connection = connection === undefined ? value : `${connection},${value}`;
        break;
      case 'forwarded':
        chain = chain === undefined ? value : `${chain}, ${value}`;
        break;
      case 'x-forwarded-for':
        forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`;
        break;
      case 'x-forwarded-host':
        forwardedHost = value;
        break;
      case 'x-forwarded-proto':
        forwardedProto = value;
        break;
    }
  }
  const kept = withoutConnectionOptions(forwarded, connection);
  if (client !== undefined)
    kept.push('x-forwarded-for', forwardedFor === undefined ? client : `${forwardedFor}, ${client}`);
  // An Ingress in front knows better what the client asked for.
  kept.push('x-forwarded-proto', forwardedProto ?? 'http', 'x-forwarded-host', forwardedHost ?? host ?? '');
  // Whoever reads it takes the last element for the hop before, so where there is one, this hop has to be in it (RFC 7239 §4).
  if (chain !== undefined) kept.push('forwarded', `${chain}, ${forwardedElement(client, host)}`);
  return {
    host: host ?? '',
    contentLength,
    chunked,
    grpcTimeout,
    takesTrailers: takesTrailers(te),
    upgrade,
    forwarded: kept,
  };
}

/** `for=10.0.0.9;host=digits.default;proto=http`: what is no token is quoted, and an IPv6 address is in brackets (RFC 7239 §6). */
function forwardedElement(client: string | undefined, host: string | undefined): string {
  const address = client === undefined ? 'unknown' : client.includes(':') ? `"[${client}]"` : client;
  const asked = host === undefined ? '' : `host=${isToken(host) ? host : JSON.stringify(host)};`;
  return `for=${address};${asked}proto=http`;
}

function isToken(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(text);
}
