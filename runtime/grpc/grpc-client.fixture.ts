/** The client that most programs use, for tests: @grpc/grpc-js with the public definitions. */
import { join } from 'node:path';
import {
  compressionAlgorithms,
  credentials,
  loadPackageDefinition,
  Metadata,
  type CallOptions,
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type GrpcObject,
  type ServiceClientConstructor,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const DEFINITION = loadSync(['inference.proto', 'health.proto', 'reflection-v1.proto', 'reflection-v1alpha.proto'], {
  includeDirs: [join(import.meta.dirname, 'proto')],
  keepCase: true,
  longs: Number,
  enums: String,
});

export type Fields = Readonly<Record<string, unknown>>;

export interface Reply {
  /** Undefined when it failed. */
  readonly response: Record<string, unknown> | undefined;
  readonly error: ServiceError | undefined;
  /** Headers of the answer, and its trailers. */
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

export interface CallSettings extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Given the call as soon as it is made. */
  readonly begun?: (call: ClientUnaryCall) => void;
}

export class GrpcClient {
  readonly #client: Client;

  /** `service` is a full name; `authority` is what the call is for, if not the address. */
  constructor(
    port: number,
    {
      authority,
      service = 'inference.GRPCInferenceService',
      compress = false,
    }: { authority?: string; service?: string; compress?: boolean } = {},
  ) {
    const Constructor = service
      .split('.')
      .reduce<GrpcObject | ServiceClientConstructor>(
        (at, name) => (at as GrpcObject)[name] as GrpcObject | ServiceClientConstructor,
        loadPackageDefinition(DEFINITION),
      ) as ServiceClientConstructor;
    this.#client = new Constructor(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': -1,
      ...(authority !== undefined && { 'grpc.default_authority': authority }),
      ...(compress && { 'grpc.default_compression_algorithm': compressionAlgorithms.gzip }),
      // Each client has connections of its own.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  call(method: string, request: Fields, { metadata = {}, begun, ...options }: CallSettings = {}): Promise<Reply> {
    return new Promise((resolve) => {
      let headers = new Metadata();
      let trailers = new Metadata();
      let answer: Pick<Reply, 'response' | 'error'> | undefined;
      const unary = this.#method(method) as (
        request: Fields,
        metadata: Metadata,
        options: CallOptions,
        done: (error: ServiceError | null, response?: Record<string, unknown>) => void,
      ) => ClientUnaryCall;
      const call = unary.call(this.#client, request, toMetadata(metadata), options, (error, response) => {
        answer = { error: error ?? undefined, response };
      });
      call.on('metadata', (received) => {
        headers = received;
      });
      call.on('status', (status) => {
        trailers = status.metadata;
        setImmediate(() => resolve({ response: undefined, error: undefined, ...answer, headers, trailers }));
      });
      begun?.(call);
    });
  }

  stream(
    method: string,
    metadata: Readonly<Record<string, string>> = {},
  ): ClientDuplexStream<Fields, Record<string, unknown>> {
    const open = this.#method(method) as (metadata: Metadata) => ClientDuplexStream<Fields, Record<string, unknown>>;
    return open.call(this.#client, toMetadata(metadata));
  }

  close(): void {
    this.#client.close();
  }

  #method(name: string): unknown {
    return (this.#client as unknown as Record<string, unknown>)[name];
  }
}

function toMetadata(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}

/** A request of ModelInfer as it is sent, for clients that speak HTTP/2 themselves. */
export function framedRequest(value: Fields): Buffer {
  const service = DEFINITION['inference.GRPCInferenceService'] as ServiceDefinition;
  const bytes = service['ModelInfer']?.requestSerialize(value) ?? Buffer.alloc(0);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Little-endian, as raw contents are. */
export function floats(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}

/** An inference of the row [1, 2]. */
export const RAW_ROW = {
  model_name: 'digits',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
  raw_input_contents: [floats(1, 2)],
};
