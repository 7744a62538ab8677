/** One request of the client, and what became of it; it is never sent twice. */
import { request as httpRequest, type Agent, type ClientRequest as OutgoingRequest } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { ClientAnswer, ClientRequest, GrpcRequest } from './protocol.ts';
import { sendGrpc } from './send-grpc.ts';

const TIMEOUT_MILLISECONDS = 180_000;

/**
 * More than a gateway collects before it looks for a pod, so that the request is in a pod while its end is still to come, and more than it holds for another
 * one. JSON may begin with spaces.
 */
const OPENING = ' '.repeat(1536 * 1024);

/** Never rejects: no answer is an answer too. */
export function send(request: ClientRequest | GrpcRequest, agent: Agent | false = false): Promise<ClientAnswer> {
  if ('messages' in request) return sendGrpc(request);
  const { outgoing, answer } = begin(request, request.headers ?? {}, agent);
  outgoing.end(request.body);
  return answer;
}

/** A request whose body begins with spaces and whose end is kept back. */
export class OpenRequest {
  readonly answer: Promise<ClientAnswer>;
  readonly #outgoing: OutgoingRequest;
  readonly #body: string;

  constructor(request: ClientRequest) {
    this.#body = request.body ?? '';
    // Its length is declared, because a pod has room for few bodies of unknown length.
    const length = String(OPENING.length + Buffer.byteLength(this.#body));
    const { outgoing, answer } = begin(request, { ...request.headers, 'content-length': length }, false);
    this.#outgoing = outgoing;
    this.answer = answer;
    outgoing.write(OPENING);
  }

  finish(): Promise<ClientAnswer> {
    this.#outgoing.end(this.#body);
    return this.answer;
  }

  abort(): void {
    this.#outgoing.destroy();
  }
}

function begin(
  { url, method, body, timeoutMilliseconds = TIMEOUT_MILLISECONDS }: ClientRequest,
  headers: Readonly<Record<string, string>>,
  agent: Agent | false,
): { readonly outgoing: OutgoingRequest; readonly answer: Promise<ClientAnswer> } {
  const begun = performance.now();
  const outgoing = httpRequest(url, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...headers },
    agent,
  });
  const answer = new Promise<ClientAnswer>((resolve) => {
    let firstByte = 0;
    const end = (known: Partial<ClientAnswer>): void => {
      clearTimeout(timer);
      const totalMilliseconds = performance.now() - begun;
      resolve({ status: 0, headers: {}, body: '', firstByteMilliseconds: firstByte, totalMilliseconds, ...known });
    };
    const fail = (error: NodeJS.ErrnoException): void => {
      const kind = error.code ?? error.message;
      end({ error: outgoing.reusedSocket ? `${kind} on a reused connection` : kind });
    };
    const timer = setTimeout(() => {
      end({ error: outgoing.socket?.connecting === true ? 'no connection in time' : 'timeout' });
      outgoing.destroy();
    }, timeoutMilliseconds);
    outgoing.on('error', fail);
    outgoing.on('response', (response) => {
      firstByte = performance.now() - begun;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      // A status without the whole body is no answer.
      response.on('error', fail);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        end({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, body: text });
      });
    });
  });
  return { outgoing, answer };
}
