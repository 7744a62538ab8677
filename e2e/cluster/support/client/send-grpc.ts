/** One call of gRPC by the client, and what became of it; it is never sent twice. Calls to one address share a connection, as those of gRPC's own clients do. */
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { performance } from 'node:perf_hooks';
import type { ClientAnswer, GrpcRequest } from './protocol.ts';

const TIMEOUT_MILLISECONDS = 180_000;

/** What HTTP would call a status, for those that a server or a gateway gives. */
const HTTP_STATUSES: Readonly<Record<string, number>> = {
  0: 200,
  3: 400,
  4: 504,
  5: 404,
  8: 429,
  12: 501,
  13: 500,
  14: 503,
};

const sessions = new Map<string, ClientHttp2Session>();

/** Never rejects: no answer is an answer too. Of several messages each is sent when the one before it is answered. */
export function sendGrpc({
  url,
  method,
  messages,
  timeoutMilliseconds = TIMEOUT_MILLISECONDS,
}: GrpcRequest): Promise<ClientAnswer> {
  const begun = performance.now();
  const { origin, host } = new URL(url);
  return new Promise((resolve) => {
    const stream = sessionOf(origin).request({
      ':method': 'POST',
      ':path': method,
      ':authority': host,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const left = messages.map((message) => Buffer.from(message, 'base64'));
    const answers: string[] = [];
    let headers: Record<string, string> = {};
    let first = 0;
    let error: string | undefined;
    const timer = setTimeout(() => {
      error = 'timeout';
      stream.close();
    }, timeoutMilliseconds);
    stream.on('response', (received) => {
      first = performance.now() - begun;
      headers = { ...headers, ...texts(received) };
    });
    stream.on('trailers', (received: IncomingHttpHeaders) => {
      headers = { ...headers, ...texts(received) };
    });
    stream.on('error', ({ message }) => {
      error ??= message;
    });
    stream.on('close', () => {
      clearTimeout(timer);
      const { 'grpc-status': status, 'grpc-message': sentence } = headers;
      if (status === undefined) error ??= 'no status';
      const totalMilliseconds = performance.now() - begun;
      resolve({
        status: status === undefined ? 0 : (HTTP_STATUSES[status] ?? 500),
        headers,
        body: sentence ?? answers.join('\n'),
        ...(error !== undefined && { error }),
        firstByteMilliseconds: first,
        totalMilliseconds,
      });
    });
    const next = (): void => sendNext(stream, left);
    readMessages(stream, (message) => {
      answers.push(message.toString('base64'));
      next();
    });
    next();
  });
}

function sendNext(stream: ClientHttp2Stream, left: Buffer[]): void {
  const message = left.shift();
  if (message === undefined) return;
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  stream.write(Buffer.concat([prefix, message]));
  if (left.length === 0) stream.end();
}

function readMessages(stream: ClientHttp2Stream, onMessage: (message: Buffer) => void): void {
  let held = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 5 && held.length >= 5 + held.readUInt32BE(1)) {
      const end = 5 + held.readUInt32BE(1);
      const message = held.subarray(5, end);
      held = held.subarray(end);
      onMessage(message);
    }
  });
}

function sessionOf(origin: string): ClientHttp2Session {
  const before = sessions.get(origin);
  if (before !== undefined && !before.closed && !before.destroyed) return before;
  const session = connect(origin);
  // Its calls hear of it themselves.
  session.on('error', () => undefined);
  session.on('goaway', () => session.close());
  sessions.set(origin, session);
  return session;
}

function texts(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
