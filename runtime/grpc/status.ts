/** How a call ends: a code and a sentence, in the trailers. */
import { ExpiredError, InferenceError } from '../inference.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';

/** Those of https://grpc.io/docs/guides/status-codes that this server gives. */
export const STATUS = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const;
export type StatusCode = (typeof STATUS)[keyof typeof STATUS];

/** What ends a call without a result. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The same mistake has the status that HTTP would give it, as a code. */
const CODES: Readonly<Record<number, StatusCode>> = {
  400: STATUS.INVALID_ARGUMENT,
  404: STATUS.NOT_FOUND,
  413: STATUS.RESOURCE_EXHAUSTED,
  415: STATUS.UNIMPLEMENTED,
  501: STATUS.UNIMPLEMENTED,
  503: STATUS.UNAVAILABLE,
  504: STATUS.DEADLINE_EXCEEDED,
};

/** Undefined for what is a defect of the server. */
export function callError(error: unknown): CallError | undefined {
  if (error instanceof CallError) return error;
  if (error instanceof InferenceError) {
    return new CallError(STATUS.INVALID_ARGUMENT, `The model cannot run on this: ${error.message}`);
  }
  if (error instanceof ExpiredError) return new CallError(STATUS.UNAVAILABLE, error.message);
  if (error instanceof ProtocolError) return new CallError(CODES[error.status] ?? STATUS.INTERNAL, error.message);
  return undefined;
}

/** Trailers may carry printable ASCII only: the rest is percent-encoded, and so is the percent sign. */
export function encodeStatusMessage(message: string): string {
  return message.replace(/[^\x20-\x24\x26-\x7e]+/gu, (text) => {
    let encoded = '';
    for (const byte of Buffer.from(text, 'utf8')) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return encoded;
  });
}
