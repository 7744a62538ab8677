/**
 * HTTP to the API server: connections kept alive and capped, every call bounded in time and size, every refusal a ClusterError. It knows
 * nothing of resources, and it retries nothing: the callers' work queues do, and they know whether it still matters.
 */
import { isDeepStrictEqual } from 'node:util';
import { Agent, ProxyAgent, type Dispatcher } from 'undici';
import type { DispatcherOptions } from '@kubernetes/client-node';
import type { Clock } from '../../../common/platform/clock.ts';
import { ClusterError } from '../port.ts';
import type { Access, Authorization } from './access.ts';
import { ServerTime } from './server-time.ts';
import { errorFromResponse } from './status-error.ts';

/** Enough for an operator's work queues; a burst of creates waits here rather than opening a connection each. */
const MAX_CONNECTIONS = 16;
/** The API server keeps idle connections for 90 s and more; undici's own 4 s would make most calls of a calm operator handshake anew. */
const KEEP_ALIVE_MILLISECONDS = 60_000;
const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** A call's whole duration, and a stream's until it begins. The API server gives up on a call after 60 s, and begins a watch at once. */
const CALL_TIMEOUT_MILLISECONDS = 30_000;
/** A page of 500 large objects is about 10 MiB; one object is at most 1.5 MiB in etcd. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;
/** Of an error page. */
const MAX_ERROR_BYTES = 1024 * 1024;

export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** What is being done, for error messages: "create Pod default/digits-00001-0". */
  readonly what: string;
  readonly signal?: AbortSignal;
}

interface Dispatchers {
  readonly options: DispatcherOptions;
  readonly calls: Dispatcher;
  /** Watches hold a connection each for minutes: in the calls' pool they would starve them. */
  readonly streams: Dispatcher;
}

export class Transport {
  readonly #access: Access;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #dispatchers: Dispatchers | undefined;
  readonly time: ServerTime;

  constructor(access: Access, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
    this.time = new ServerTime(clock);
  }

  /** The answer's JSON. Throws a ClusterError for anything but a 2xx. */
  async call(call: Call): Promise<unknown> {
    return this.#inTime(call, async (deadline) => {
      const response = await this.#request(call, 'calls', deadline);
      return JSON.parse(await readText(response.body, MAX_BODY_BYTES)) as unknown;
    });
  }

  /** The answer's body as it comes, until `call.signal` aborts. Throws a ClusterError if the answer is not 2xx. */
  async stream(call: Call): Promise<AsyncIterable<Uint8Array>> {
    return this.#inTime(call, async (deadline) => {
      const response = await this.#request(call, 'streams', deadline);
      return response.body as AsyncIterable<Uint8Array>;
    });
  }

  /** Breaks off whatever is under way. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the connection to the API server was closed'));
    await Promise.all([this.#dispatchers?.calls.destroy(), this.#dispatchers?.streams.destroy()]);
  }

  async #inTime<T>({ what }: Call, work: (deadline: AbortSignal) => Promise<T>): Promise<T> {
    const deadline = new AbortController();
    const cancel = this.#clock.after(CALL_TIMEOUT_MILLISECONDS, () => {
      deadline.abort(new Error(`no answer within ${CALL_TIMEOUT_MILLISECONDS / 1000} s`));
    });
    try {
      return await work(deadline.signal);
    } catch (error) {
      throw unavailable(what, error);
    } finally {
      cancel();
    }
  }

  /** Once more with credentials read anew if those at hand are refused: they may have been replaced before their time was over. */
  async #request(call: Call, pool: 'calls' | 'streams', deadline: AbortSignal): Promise<Dispatcher.ResponseData> {
    const signals = [this.#closed.signal, deadline, call.signal].filter((it) => it !== undefined);
    const signal = AbortSignal.any(signals);
    signal.throwIfAborted();
    const authorization = await orAbort(this.#access.authorize(), signal);
    const response = await this.#send(call, pool, authorization, signal);
    this.time.observe(response.headers['date']);
    if (response.statusCode !== 401) return assertSuccess(call.what, response);
    await response.body.dump();
    this.#access.renew(authorization);
    const renewed = await orAbort(this.#access.authorize(), signal);
    return assertSuccess(call.what, await this.#send(call, pool, renewed, signal));
  }

  #send(
    call: Call,
    pool: 'calls' | 'streams',
    { headers, dispatcher }: Authorization,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const url = new URL(`${this.#access.server}${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return this.#use(dispatcher)[pool].request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: call.method,
      headers: {
        ...headers,
        accept: 'application/json',
        'user-agent': 'pilotlight',
        ...(call.body && {
          'content-type': call.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
        }),
      },
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal,
      // Bounded by the deadline, and once a stream has begun by whoever reads it.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /** The connections for these credentials; new ones once they changed, while the old ones finish what they carry. */
  #use(options: Authorization['dispatcher']): Dispatchers {
    const current = this.#dispatchers;
    // By content, because each authorization reads the TLS material anew.
    if (current !== undefined && isDeepStrictEqual(current.options, options)) return current;
    const next = {
      options,
      calls: makeDispatcher(options, MAX_CONNECTIONS),
      streams: makeDispatcher(options, null),
    };
    this.#dispatchers = next;
    if (current !== undefined) {
      void current.calls.close();
      void current.streams.close();
    }
    return next;
  }
}

async function assertSuccess(what: string, response: Dispatcher.ResponseData): Promise<Dispatcher.ResponseData> {
  if (response.statusCode >= 200 && response.statusCode < 300) return response;
  const retryAfter = response.headers['retry-after'];
  throw errorFromResponse(what, {
    status: response.statusCode,
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    body: await readText(response.body, MAX_ERROR_BYTES),
  });
}

function makeDispatcher(options: DispatcherOptions, connections: number | null): Dispatcher {
  const settings = {
    connections,
    // One watch a connection: in HTTP/2 a single silent connection would take all watches and calls down with it.
    allowH2: false,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    keepAliveMaxTimeout: KEEP_ALIVE_MILLISECONDS,
  };
  const timeout = CONNECT_TIMEOUT_MILLISECONDS;
  switch (options.type) {
    case 'agent':
      return new Agent({ ...settings, connect: { ...options.connect, timeout } as Agent.Options['connect'] & object });
    case 'none':
      return new Agent({ ...settings, connect: { timeout } });
    case 'proxy':
      return new ProxyAgent({
        ...settings,
        uri: options.uri,
        requestTls: { ...options.requestTls, timeout } as object,
      });
    case 'socks':
      throw new Error(`The kubeconfig's proxy-url ${options.uri} must be http or https; SOCKS is not supported.`);
  }
}

async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError(`the answer has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Settles as `promise` does, but rejects at once when the signal aborts. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

function unavailable(what: string, error: unknown): ClusterError {
  if (error instanceof ClusterError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ClusterError('Unavailable', `${what}: ${message}`, { cause: error });
}
