/** The client that most programs use, for tests: @grpc/grpc-js, with messages as they are. */
import {
  Client,
  credentials,
  Metadata,
  type ClientDuplexStream,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';

export interface GrpcReply {
  /** Undefined when it failed. */
  readonly message: string | undefined;
  readonly error: ServiceError | undefined;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

export interface GrpcCallOptions {
  readonly method?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadline?: number;
  readonly begun?: (call: ClientUnaryCall) => void;
}

const METHOD = '/inference.GRPCInferenceService/ModelInfer';
const asIs = (bytes: Buffer): Buffer => bytes;

export class GrpcClient {
  readonly #client: Client;

  constructor(port: number, authority = 'digits.default') {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.default_authority': authority,
      'grpc.enable_retries': 0,
      'grpc.max_receive_message_length': -1,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  call(
    message: string | Buffer,
    { method = METHOD, metadata = {}, deadline, begun }: GrpcCallOptions = {},
  ): Promise<GrpcReply> {
    return new Promise((resolve) => {
      let headers = new Metadata();
      let answer: Pick<GrpcReply, 'message' | 'error'> = { message: undefined, error: undefined };
      const call = this.#client.makeUnaryRequest(
        method,
        asIs,
        asIs,
        Buffer.from(message),
        toMetadata(metadata),
        deadline === undefined ? {} : { deadline },
        (error, response) => {
          answer = { message: response?.toString(), error: error ?? undefined };
        },
      );
      call.on('metadata', (received) => {
        headers = received;
      });
      call.on('status', ({ metadata: trailers }) => {
        setImmediate(() => resolve({ ...answer, headers, trailers }));
      });
      begun?.(call);
    });
  }

  stream(method = METHOD): ClientDuplexStream<Buffer, Buffer> {
    const stream = this.#client.makeBidiStreamRequest(method, asIs, asIs);
    stream.on('error', () => undefined);
    return stream;
  }

  close(): void {
    this.#client.close();
  }
}

function toMetadata(fields: Readonly<Record<string, string>>): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
  return metadata;
}
