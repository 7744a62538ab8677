/** How the runtime answers: always with the pod's own headers, and where there is no result with JSON `{"error": sentence}`. */
import type { ServerResponse } from 'node:http';
import { freeMemory } from '../../common/platform/free-memory.ts';
import { NOT_ADMITTED, RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import type { PodState } from '../admission/decide-admission.ts';

export const SENTENCES: Readonly<Record<NotAdmitted, string>> = {
  WrongPod: 'This is not the pod that the request names.',
  LimitReached: 'This pod has as many requests, or bytes of them, as it may have.',
  Draining: 'This pod is ending and takes no new request.',
  NotReady: 'The model is still being loaded.',
};

export const JSON_TYPE: readonly string[] = ['content-type', 'application/json; charset=utf-8'];

/** With the connection an upload that nobody wants ends too. */
export const CLOSE: readonly string[] = ['connection', 'close'];

/** Head and body go out in one write where both are text, in a dearer one of pieces where the body is a Buffer; up to this size, text is cheaper. */
const ONE_WRITE_BYTES = 8 * 1024;

export class Answers {
  /** Headers of every answer, as a flat list of names and values: Node writes such a list without a copy for each request. */
  readonly identity: readonly string[];
  readonly #pod: PodState;

  constructor(pod: PodState, revision: string) {
    this.#pod = pod;
    this.identity = [RESPONSE_HEADERS.revision, revision];
    if (pod.uid !== undefined) this.identity = [...this.identity, RESPONSE_HEADERS.podUid, pod.uid];
  }

  /** Takes a large body's memory over. A draining pod lets go of its connections with each answer: closing the server would otherwise wait for them to time out. */
  send(response: ServerResponse, status: number, headers: readonly string[], body: string | Buffer): void {
    const length = String(Buffer.byteLength(body));
    const all = [...this.identity, ...headers, 'content-length', length];
    if (this.#pod.phase === 'Draining') all.push(...CLOSE);
    response.writeHead(status, all);
    if (typeof body !== 'string' && body.length <= ONE_WRITE_BYTES) {
      response.end(body.toString('latin1'), 'latin1');
      return;
    }
    // It is written by then. One that is never written whole is left to the garbage collector, because the socket may still read it.
    if (typeof body !== 'string') response.once('finish', () => freeMemory(body));
    response.end(body);
  }

  json(response: ServerResponse, status: number, value: unknown): void {
    this.send(response, status, JSON_TYPE, JSON.stringify(value));
  }

  error(response: ServerResponse, status: number, message: string, headers: readonly string[] = []): void {
    this.send(response, status, [...JSON_TYPE, ...headers], JSON.stringify({ error: message }));
  }

  /** The request was not begun, so it may be sent elsewhere. */
  refusal(response: ServerResponse, reason: NotAdmitted, sentence = SENTENCES[reason]): void {
    this.error(response, NOT_ADMITTED[reason], sentence, [RESPONSE_HEADERS.notAdmitted, reason]);
  }
}
