/** The client of one server: a function of Pilotlight, or any other server of the Open Inference Protocol. */
import { systemClock, type Clock } from '../common/platform/clock.ts';
import { isReady, readJson, type CallOptions, type Connection, type SendRequest } from './connection.ts';
import { limited, type Limit } from './limit.ts';
import type { ServerMetadata } from './metadata.ts';
import { ModelClient } from './model-client.ts';
import type { ModelSchema } from './model-schema.ts';
import { send } from './send.ts';

export interface ClientOptions {
  /** Sent with every request, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Milliseconds for a whole call, retries and the wait for a model at zero included. Default 120000: what a gateway allows by default for the queue
   * and the execution together. `Infinity` sets no limit.
   */
  readonly timeout?: number;
  /** How often a request that was certainly not begun is sent again. Default 3; 0 never. */
  readonly maxRetries?: number;
  /**
   * How tensors are sent: as bytes, or as JSON to a server without the `binary_tensor_data` extension. By default as bytes, and as JSON once a
   * server has refused bytes and says in its metadata that it does not know them.
   */
  readonly encoding?: 'binary' | 'json';
  /** Another fetch, such as one with a proxy or a test's. */
  readonly fetch?: typeof globalThis.fetch;
  /** For tests. */
  readonly clock?: Clock;
  /** For tests: from 0 to 1. */
  readonly random?: () => number;
}

const TIMEOUT_MILLISECONDS = 120_000;
const MAX_RETRIES = 3;

/**
 * @example
 * const client = new InferenceClient('http://digits.default'); // in the cluster
 * const digits = client.model('digits');
 * const { outputs } = await digits.infer({ pixels: { shape: [1, 64], data: new Float32Array(64) } });
 *
 * @example
 * new InferenceClient('https://gateway.example/functions/default/digits', { headers: { authorization: `Bearer ${token}` } });
 */
export class InferenceClient {
  readonly url: string;
  readonly #connection: Connection;

  /** @param url where `/v2` begins: without a query, with or without a path */
  constructor(url: string | URL, options: ClientOptions = {}) {
    this.url = readUrl(url);
    const transport = {
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
      clock: options.clock ?? systemClock,
      random: options.random ?? Math.random,
    };
    const start =
      (call: CallOptions, limit: Limit): SendRequest =>
      (path, body, headers) =>
        send(
          transport,
          {
            url: this.url + path,
            headers: { ...options.headers, ...call.headers, ...headers },
            body,
            maxRetries: call.maxRetries ?? options.maxRetries ?? MAX_RETRIES,
          },
          limit,
        );
    this.#connection = {
      encoding: options.encoding,
      call: (call, work) =>
        limited(
          transport.clock,
          { signal: call.signal, timeout: call.timeout ?? options.timeout ?? TIMEOUT_MILLISECONDS },
          (limit) => work(start(call, limit)),
        ),
    };
  }

  /**
   * A model of the server. That of a Pilotlight function is named after the function.
   *
   * @param version a revision's name; by default the server chooses
   * @example
   * const digits = client.model<Digits>('digits'); // with a schema, inputs and outputs are checked by the compiler
   */
  model<M extends ModelSchema = ModelSchema>(name: string, version?: string): ModelClient<M> {
    return new ModelClient<M>(this.#connection, name, version);
  }

  /** Name, version and extensions of the server. */
  metadata(options: CallOptions = {}): Promise<ServerMetadata> {
    return this.#connection.call(options, async (request) => readJson(await request('/v2')) as ServerMetadata);
  }

  /** Whether the server would answer inferences. Through a gateway this wakes a function that is at zero, as any request does. */
  isReady(options: CallOptions = {}): Promise<boolean> {
    return this.#connection.call({ maxRetries: 0, ...options }, (request) => isReady(request('/v2/health/ready')));
  }
}

function readUrl(address: string | URL): string {
  const url = URL.canParse(String(address)) ? new URL(address) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new TypeError(
      `The address must be like http://digits.default, without a query, but is ${JSON.stringify(String(address))}.`,
    );
  }
  return url.href.replace(/\/+$/, '');
}
