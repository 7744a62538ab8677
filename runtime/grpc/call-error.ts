import { GRPC_STATUS, type GrpcStatus } from '../../common/wire/grpc.ts';
import { ExpiredError, InferenceError } from '../inference.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';

/** What ends a call without a result: a code and a sentence. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: GrpcStatus;

  constructor(code: GrpcStatus, message: string) {
    super(message);
    this.code = code;
  }
}

/** The same mistake has the status that HTTP would give it, as a code. */
const CODES: Readonly<Record<number, GrpcStatus>> = {
  400: GRPC_STATUS.INVALID_ARGUMENT,
  404: GRPC_STATUS.NOT_FOUND,
  413: GRPC_STATUS.RESOURCE_EXHAUSTED,
  415: GRPC_STATUS.UNIMPLEMENTED,
  501: GRPC_STATUS.UNIMPLEMENTED,
  503: GRPC_STATUS.UNAVAILABLE,
  504: GRPC_STATUS.DEADLINE_EXCEEDED,
};

/** Undefined for what is a defect of the server. */
export function callError(error: unknown): CallError | undefined {
  if (error instanceof CallError) return error;
  if (error instanceof InferenceError) {
    return new CallError(GRPC_STATUS.INVALID_ARGUMENT, `The model cannot run on this: ${error.message}`);
  }
  if (error instanceof ExpiredError) return new CallError(GRPC_STATUS.UNAVAILABLE, error.message);
  if (error instanceof ProtocolError) return new CallError(CODES[error.status] ?? GRPC_STATUS.INTERNAL, error.message);
  return undefined;
}
