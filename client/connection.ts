/** What the client of a model needs of its server's: requests within one call's limits, and how tensors travel. */
import { InferenceError } from './inference-error.ts';
import type { Answer } from './send.ts';

/** Of one call; what is not set is the client's. */
export interface CallOptions {
  /** Ends the call, and frees its connection; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the whole call. */
  readonly timeout?: number;
  readonly maxRetries?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Connection {
  /** Undefined until an answer told. */
  encoding: 'binary' | 'json' | undefined;
  /** Every request of one call shares its limits. */
  call<T>(options: CallOptions, work: (request: SendRequest) => Promise<T>): Promise<T>;
}

/** Paths begin behind the client's address; with a body it is a POST. */
export type SendRequest = (
  path: string,
  body?: Uint8Array<ArrayBuffer>,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

export function readJson({ body }: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new InferenceError('The answer is not JSON.', { code: 'invalid-answer', cause });
  }
}

/** False where the server says so: 503, or Triton's 400. */
export async function isReady(answer: Promise<Answer>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (error) {
    if (error instanceof InferenceError && (error.status === 503 || error.status === 400)) return false;
    throw error;
  }
}
