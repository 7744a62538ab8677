/** One POST on a connection of its own: a caller who was away for long has none. */
import { request, type Agent, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Post {
  readonly host: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** Of kept connections, to take one of those. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of performance.now(). */
  readonly firstByteAt: number;
  readonly endedAt: number;
}

/** Rejects if there is no whole answer; whatever its status is. */
export function postOnce({ host, port = 80, path, headers, body, agent }: Post): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host,
        port,
        path,
        method: 'POST',
        agent: agent ?? false,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        const firstByteAt = performance.now();
        buffer(response).then((whole) => {
          const { statusCode: status = 0, headers: answered } = response;
          resolve({ status, headers: answered, body: whole, firstByteAt, endedAt: performance.now() });
        }, reject);
      },
    );
    outgoing.on('error', reject).end(body);
  });
}
