/** A client for tests. */
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Call {
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export function open(
  port: number,
  { host = 'digits.default', path = '/', method, headers, body }: Call = {},
): ClientRequest {
  return httpRequest({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { host, ...headers },
  });
}

/** Sends a request whole and gives its answer whole; rejects if the connection breaks before. */
export function call(port: number, options: Call = {}): Promise<Answer> {
  const request = open(port, options);
  const answer = answerTo(request);
  request.end(options.body);
  return answer;
}

export async function answerTo(request: ClientRequest): Promise<Answer> {
  const response = await responseTo(request);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() };
}

export function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
}

/** Sends bytes as they are and gives everything that comes back until the server closes. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
