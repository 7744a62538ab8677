/** Reads the head of an HTTP/1.1 response. Strict: what could be read in two ways is refused, because a connection is used again after a body ends. */

export interface ResponseHead {
  readonly status: number;
  /** Names in lower case; of a name that came several times the values joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether another request may follow on the connection. */
  readonly keepAlive: boolean;
}

export type BodyFraming =
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  /** Up to the connection's end: nobody can tell a whole body from one that was cut short. */
  | { readonly kind: 'close' };

/** Most servers send less than 2 KiB; signed redirects are the longest. */
export const MOST_HEAD_BYTES = 64 * 1024;

export class HttpProtocolError extends Error {
  override readonly name = 'HttpProtocolError';
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: |$)/;
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `text` ends before the empty line. Throws HttpProtocolError. */
export function parseResponseHead(text: string): ResponseHead {
  const [first = '', ...lines] = text.split('\r\n');
  const [, minor, status] = STATUS_LINE.exec(first) ?? [];
  if (minor === undefined) throw new HttpProtocolError('the server does not speak HTTP/1.1');
  // No prototype: a header named __proto__ is one like any other.
  const headers = Object.create(null) as Record<string, string>;
  for (const line of lines) {
    // No regular expression for the value: one that leaves blanks out at both ends takes seconds for a header that is full of them.
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!FIELD_NAME.test(key) || /[\0\r\n]/.test(value))
      throw new HttpProtocolError('the server sent a header that is none');
    headers[key] = key in headers ? `${headers[key] ?? ''}, ${value}` : value;
  }
  const connection = (headers['connection'] ?? '').toLowerCase();
  return {
    status: Number(status),
    headers,
    keepAlive: minor === '1' ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection),
  };
}

/** How a body ends that answers GET, POST or PUT (RFC 9112, section 6.3). Throws HttpProtocolError. */
export function bodyFraming({ status, headers }: ResponseHead): BodyFraming {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined) {
    if (length !== undefined) throw new HttpProtocolError('the server gave its body a length and chunks');
    if (coding.toLowerCase() !== 'chunked') throw new HttpProtocolError('the server sent an unknown transfer-encoding');
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'close' };
  if (!/^\d{1,15}$/.test(length)) throw new HttpProtocolError('the server sent a content-length that is none');
  return { kind: 'length', bytes: Number(length) };
}
