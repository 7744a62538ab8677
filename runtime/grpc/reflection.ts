/** `grpc.reflection.v1.ServerReflection` and its v1alpha: the services and messages of this server, for tools that were not given them. */
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import { quote } from '../protocol/protocol-error.ts';
import type { GrpcCall } from './grpc-call.ts';
import { MessageReader } from './message-reader.ts';
import { BYTES, INT32, STRING } from './protobuf/kinds.ts';
import { message, optional, partial, repeated, single, type ValueOf } from './protobuf/message.ts';
import { CallError } from './call-error.ts';
import type { Method } from './unary-method.ts';

const MOST_BYTES = 64 * 1024;
/** Answers to one stream of questions; a tool asks for a dozen symbols. */
const MOST_ANSWERS = 1_000;

const Request = message({
  host: single(1, STRING),
  file_by_filename: optional(3, STRING),
  file_containing_symbol: optional(4, STRING),
  list_services: optional(7, STRING),
});
type Request = ValueOf<typeof Request>;
const FileDescriptorResponse = message({ file_descriptor_proto: repeated(1, BYTES, MOST_ANSWERS) });
const ServiceResponse = message({ name: single(1, STRING) });
const ListServiceResponse = message({ service: repeated(1, ServiceResponse, MOST_ANSWERS) });
const ErrorResponse = message({ error_code: single(1, INT32), error_message: single(2, STRING) });
const Response = message({
  valid_host: single(1, STRING),
  original_request: optional(2, partial(Request)),
  file_descriptor_response: optional(4, partial(FileDescriptorResponse)),
  list_services_response: optional(6, partial(ListServiceResponse)),
  error_response: optional(7, partial(ErrorResponse)),
});
type Response = ValueOf<typeof Response>;

/** A file of definitions, compiled. */
export interface ProtoFile {
  readonly name: string;
  /** Full names of the services in it, and of everything else. */
  readonly services: readonly string[];
  readonly symbols: readonly string[];
  /** FileDescriptorProto, in base64. */
  readonly descriptor: string;
}

function reflect(call: GrpcCall, files: readonly ProtoFile[], fail: (error: unknown) => void): void {
  const questions = new Questions();
  // One question after the other: an answer is a hundred times as long, and who asks on without reading is not answered at once.
  const answerAll = async (chunk: Buffer): Promise<void> => {
    for (const request of questions.in(chunk)) {
      const response = { valid_host: request.host, original_request: request, ...answer(request, files) };
      if (!call.send(Response, response)) await call.drained();
    }
  };
  call.stream.on('data', (chunk: Buffer) => {
    if (call.hasEnded) return;
    call.stream.pause();
    answerAll(chunk).then(() => call.stream.resume(), fail);
  });
  call.stream.on('end', () => call.finish());
}

class Questions {
  #count = 0;
  #asked: Request | undefined;
  readonly #reader = new MessageReader(MOST_BYTES, {
    begun: (_length, compressed) => {
      this.#count += 1;
      if (compressed)
        throw new CallError(GRPC_STATUS.UNIMPLEMENTED, 'Questions about services are not taken compressed.');
      if (this.#count > MOST_ANSWERS)
        throw new CallError(GRPC_STATUS.RESOURCE_EXHAUSTED, 'Ask the rest on another stream.');
    },
    complete: ({ bytes }) => {
      this.#asked = Request.decode(bytes);
      return false;
    },
  });

  /** Throws CallError or ProtocolError. */
  *in(chunk: Buffer): Generator<Request> {
    for (let rest: Buffer | undefined = chunk; rest !== undefined;) {
      rest = this.#reader.push(rest);
      const asked = this.#asked;
      this.#asked = undefined;
      if (asked !== undefined) yield asked;
    }
  }
}

function answer(request: Request, files: readonly ProtoFile[]): Partial<Response> {
  const { file_by_filename: fileName, file_containing_symbol: symbol, list_services: list } = request;
  if (list !== undefined) {
    const service = files.flatMap(({ services }) => services.map((name) => ({ name })));
    return { list_services_response: { service } };
  }
  if (fileName === undefined && symbol === undefined) {
    return {
      error_response: { error_code: GRPC_STATUS.UNIMPLEMENTED, error_message: 'There are no extensions here.' },
    };
  }
  const found = files.find(({ name, services, symbols }) =>
    symbol === undefined ? name === fileName : services.includes(symbol) || symbols.includes(symbol),
  );
  if (found === undefined) {
    const error_message = `There is no ${quote(symbol ?? fileName ?? '')} here.`;
    return { error_response: { error_code: GRPC_STATUS.NOT_FOUND, error_message } };
  }
  return { file_descriptor_response: { file_descriptor_proto: [Buffer.from(found.descriptor, 'base64')] } };
}

/** The definitions are read when somebody asks for them. */
export const serverReflectionInfo: Method = (call, fail) => {
  import('./generated/proto-files.ts').then(({ PROTO_FILES }) => reflect(call, PROTO_FILES, fail), fail);
};
