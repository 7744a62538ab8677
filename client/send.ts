/** Sends one request by fetch, again where retryDelay says so, and gives the whole answer or an InferenceError. */
import { wait, type Clock } from '../common/platform/clock.ts';
import { errorOfAnswer, InferenceError } from './inference-error.ts';
import type { Limit } from './limit.ts';
import { retryDelay } from './retry-delay.ts';

export interface Transport {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
}

export interface Call {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** POST with it, GET without. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined;
  readonly maxRetries: number;
}

export interface Answer {
  readonly headers: Headers;
  readonly body: ArrayBuffer;
}

/** Node's codes for a connection that never came about; in a browser nobody can know. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const IN_USE = new Set(['read', 'write']);

export async function send(transport: Transport, call: Call, limit: Limit): Promise<Answer> {
  for (let before = 0; ; before += 1) {
    try {
      return await attempt(transport, call, limit.signal);
    } catch (error) {
      limit.signal.throwIfAborted();
      const delay = retryDelay({
        error,
        before,
        maxRetries: call.maxRetries,
        idempotent: call.body === undefined,
        remaining: limit.remaining(),
        random: transport.random(),
      });
      if (delay === undefined) throw error;
      await wait(transport.clock, delay, limit.signal);
      limit.signal.throwIfAborted();
    }
  }
}

async function attempt({ fetch, clock }: Transport, call: Call, signal: AbortSignal): Promise<Answer> {
  const { url, headers, body } = call;
  let response: Response;
  let bytes: ArrayBuffer;
  try {
    response = await fetch(url, { headers, signal, ...(body !== undefined && { method: 'POST', body }) });
    bytes = await response.arrayBuffer();
  } catch (cause) {
    throw unreachable(url, cause);
  }
  if (response.ok) return { headers: response.headers, body: bytes };
  throw errorOfAnswer({
    status: response.status,
    text: new TextDecoder().decode(bytes),
    header: (name) => response.headers.get(name),
    now: clock.now(),
  });
}

function unreachable(url: string, error: unknown): InferenceError {
  const cause = causes(error).at(-1);
  const code = property(cause, 'code');
  const syscall = property(cause, 'syscall') ?? '';
  const reason = code ?? property(cause, 'message') ?? String(error);
  return new InferenceError(`${new URL(url).origin} cannot be reached, or broke off: ${reason}.`, {
    code: 'unreachable',
    // A network that goes away gives some of these to connections that were in use.
    retryable: code !== undefined && NEVER_CONNECTED.has(code) && !IN_USE.has(syscall),
    cause: error,
  });
}

/** fetch hides what happened in causes of causes. */
function causes(error: unknown): unknown[] {
  const chain = [error];
  for (let depth = 0; depth < 5; depth += 1) {
    const last = chain.at(-1);
    if (typeof last !== 'object' || last === null || !('cause' in last) || last.cause === undefined) break;
    chain.push(last.cause);
  }
  return chain;
}

function property(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = (value as Readonly<Record<string, unknown>>)[name];
  return typeof found === 'string' && found !== '' ? found : undefined;
}
