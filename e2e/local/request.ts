/** A client as users have one: each request on a connection of its own, so that none can hide behind a pool. */
import { request as httpRequest, type ClientRequest, type IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Empty if it is no JSON. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal;
}

export function sendRequest(url: string, { body, ...options }: Sent = {}): Promise<Answer> {
  const request = httpRequest(url, { method: 'GET', agent: false, ...options });
  request.end(body);
  return answerOf(request);
}

/** More than a gateway collects before it looks for a pod, so that the request is in a pod while its end is still to come. */
const OPENING = ' '.repeat(512 * 1024);

/**
 * A request that a pod has and cannot answer yet: JSON may begin with spaces, and what follows them is not sent before `finish`. Its length is
 * declared, because a pod has room for few bodies of unknown length.
 */
export class UnfinishedRequest {
  readonly answer: Promise<Answer>;
  readonly #request: ClientRequest;
  readonly #body: string;

  /** @param body in ASCII */
  constructor(url: string, body: string) {
    this.#body = body;
    const headers = { 'content-length': OPENING.length + body.length };
    this.#request = httpRequest(url, { method: 'POST', agent: false, headers });
    this.answer = answerOf(this.#request);
    // Whoever aborts it does not want to hear of it.
    this.answer.catch(() => undefined);
    this.#request.write(OPENING);
  }

  finish(): Promise<Answer> {
    this.#request.end(this.#body);
    return this.answer;
  }

  abort(): void {
    this.#request.destroy();
  }
}

function answerOf(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks);
        const isJson = response.headers['content-type']?.startsWith('application/json') === true && body.length > 0;
        const json = isJson ? (JSON.parse(body.toString()) as Answer['json']) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, json });
      });
    });
  });
}
