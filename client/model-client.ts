/** One model of a server: inference, and what the model says of itself. */
import { RESPONSE_HEADERS } from '../common/wire/headers.ts';
import { isReady, readJson, type CallOptions, type Connection, type SendRequest } from './connection.ts';
import { decodeAnswer } from './decode-answer.ts';
import { encodeRequest, JSON_LENGTH_HEADER, type Parameter, type Request } from './encode-request.ts';
import { InferenceError } from './inference-error.ts';
import type { ModelMetadata, ModelStatistics, ServerMetadata } from './metadata.ts';
import type { Inputs, ModelSchema, OutputName, Outputs } from './model-schema.ts';
import type { Answer } from './send.ts';
import { parseServerTiming } from './server-timing.ts';

export interface InferOptions<Name extends string = string> extends CallOptions {
  /** The outputs wanted; all by default. */
  readonly outputs?: readonly Name[];
  /** Comes back in the result. */
  readonly id?: string;
  /** 1 is the highest; 0 or none the model's own level. */
  readonly priority?: number;
  /** Milliseconds that the request may wait in the replica for its run; it then fails and is not run. */
  readonly queueTimeout?: number;
  /** Other parameters of the request, such as Triton's `sequence_id`. */
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

export interface InferenceResult<O = Outputs<ModelSchema>> {
  readonly outputs: O;
  readonly model: string;
  readonly version: string | undefined;
  /** As it was sent. */
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** The revision that answered; Pilotlight's gateways and runtimes tell. */
  readonly revision: string | undefined;
  /** Milliseconds that the request waited for a replica, if it found none. */
  readonly coldStart: number | undefined;
  /** Milliseconds by phase: `queue`, `pod`, and on a cold start the replica's `start-…`. Empty from servers that do not tell. */
  readonly serverTiming: Readonly<Record<string, number>>;
}

/** What a server answers to a body that it cannot read. */
const REFUSED = [400, 415, 422];

/** Made by `InferenceClient.model`. */
export class ModelClient<M extends ModelSchema = ModelSchema> {
  readonly name: string;
  readonly #connection: Connection;
  readonly #path: string;

  /** @internal */
  constructor(connection: Connection, name: string, version: string | undefined) {
    this.name = name;
    this.#connection = connection;
    const versioned = version === undefined ? '' : `/versions/${encodeURIComponent(version)}`;
    this.#path = `/v2/models/${encodeURIComponent(name)}${versioned}`;
  }

  /**
   * Runs the model. Throws InferenceError.
   *
   * @example
   * const { outputs, coldStart } = await digits.infer(
   *   { pixels: { shape: [1, 64], data: pixels } },
   *   { outputs: ['label'], signal: AbortSignal.timeout(5_000) },
   * );
   * outputs.label.data[0]; // 7n
   */
  infer<Name extends OutputName<M> = OutputName<M>>(
    inputs: Inputs<M>,
    options: InferOptions<Name> = {},
  ): Promise<InferenceResult<Outputs<M, Name>>> {
    const { outputs, id, priority, queueTimeout } = options;
    const parameters = {
      ...options.parameters,
      ...(priority !== undefined && { priority }),
      // The protocol has it in microseconds.
      ...(queueTimeout !== undefined && { timeout: Math.round(queueTimeout * 1000) }),
    };
    return this.#connection.call(options, async (request) => {
      const answer = await this.#post(request, { inputs, outputs, id, parameters });
      return readResult<Outputs<M, Name>>(answer);
    });
  }

  /** Names, datatypes and shapes of its inputs and outputs. */
  metadata(options: CallOptions = {}): Promise<ModelMetadata> {
    return this.#get(options) as Promise<ModelMetadata>;
  }

  /** Triton's model configuration, where the server has the extension `model_configuration`. */
  config(options: CallOptions = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.#get(options, '/config') as Promise<Readonly<Record<string, unknown>>>;
  }

  /** Counts and times since it was loaded, where the server has the extension `statistics`. A replica speaks for itself alone. */
  async statistics(options: CallOptions = {}): Promise<readonly ModelStatistics[]> {
    const answer = await this.#get(options, '/stats');
    return (answer as { readonly model_stats: readonly ModelStatistics[] }).model_stats;
  }

  /** Whether it would answer. Through a gateway this wakes a function that is at zero, as any request does. */
  isReady(options: CallOptions = {}): Promise<boolean> {
    return this.#connection.call({ maxRetries: 0, ...options }, (request) => isReady(request(`${this.#path}/ready`)));
  }

  #get(options: CallOptions, path = ''): Promise<unknown> {
    return this.#connection.call(options, async (request) => readJson(await request(this.#path + path)));
  }

  /** Bytes to a server that takes them; one that refuses is asked whether it knows them at all. */
  async #post(request: SendRequest, inference: Request): Promise<Answer> {
    const connection = this.#connection;
    const post = (encoding: 'binary' | 'json'): Promise<Answer> => {
      const { body, headers } = encodeRequest(inference, encoding);
      return request(`${this.#path}/infer`, body, headers);
    };
    const known = connection.encoding;
    if (known !== undefined) return post(known);
    try {
      const answer = await post('binary');
      connection.encoding = 'binary';
      return answer;
    } catch (error) {
      if (!(error instanceof InferenceError) || !REFUSED.includes(error.status ?? 0)) throw error;
      const takesBytes = await hasBinaryExtension(request);
      if (takesBytes === true) connection.encoding = 'binary';
      if (takesBytes !== false) throw error;
      const answer = await post('json');
      connection.encoding = 'json';
      return answer;
    }
  }
}

/** Undefined where the server does not say. */
async function hasBinaryExtension(request: SendRequest): Promise<boolean | undefined> {
  try {
    const { extensions } = readJson(await request('/v2')) as Partial<ServerMetadata>;
    return Array.isArray(extensions) ? extensions.includes('binary_tensor_data') : undefined;
  } catch {
    return undefined;
  }
}

function readResult<O>({ headers, body }: Answer): InferenceResult<O> {
  const jsonLength = headers.get(JSON_LENGTH_HEADER);
  if (jsonLength === null && headers.get('content-type')?.startsWith('application/octet-stream') === true) {
    throw new InferenceError(
      'The answer is binary, but its header Inference-Header-Content-Length cannot be seen. To a page of another origin the server must list it in access-control-expose-headers.',
      { code: 'invalid-answer' },
    );
  }
  const coldStart = headers.get(RESPONSE_HEADERS.coldStart);
  const decoded = decodeAnswer(body, jsonLength);
  return {
    ...decoded,
    outputs: decoded.outputs as O,
    revision: headers.get(RESPONSE_HEADERS.revision) ?? undefined,
    coldStart: coldStart === null ? undefined : Number(coldStart),
    serverTiming: parseServerTiming(headers.get(RESPONSE_HEADERS.serverTiming)),
  };
}
