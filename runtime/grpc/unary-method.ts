/** A method of one small message and one small answer. */
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import type { GrpcCall } from './grpc-call.ts';
import { decompress } from './decompress.ts';
import { MessageReader, type FramedMessage } from './message-reader.ts';
import type { MessageType } from './protobuf/message.ts';
import { CallError } from './call-error.ts';

/** A method's part of the server: what it throws, or passes to `fail`, becomes the call's status. */
export type Method = (call: GrpcCall, fail: (error: unknown) => void) => void;

/** A name and a version. */
const MOST_BYTES = 64 * 1024;

export function unary<Request extends object, Response extends object>(
  request: MessageType<Request>,
  response: MessageType<Response>,
  answer: (request: Request, call: GrpcCall) => Partial<Response> | undefined,
): Method {
  return (call, fail) => {
    receiveOne(call, MOST_BYTES, fail, (bytes) => {
      const value = answer(request.decode(bytes), call);
      // Without one the call is answered otherwise.
      if (value === undefined) return;
      call.send(response, value);
      call.finish();
    });
  };
}

/** Calls back with the one message of a call, once that is whole. */
function receiveOne(call: GrpcCall, limit: number, fail: (error: unknown) => void, use: (bytes: Buffer) => void): void {
  const { stream, headers } = call;
  let received: FramedMessage | undefined;
  const reader = new MessageReader(limit, {
    begun: () => {
      if (received !== undefined) throw new CallError(GRPC_STATUS.UNIMPLEMENTED, 'The method takes one message only.');
    },
    complete: (message) => {
      received = message;
      return true;
    },
  });
  const guarded = (step: () => void): void => {
    if (call.hasEnded) return;
    try {
      step();
    } catch (error) {
      fail(error);
    }
  };
  stream.on('data', (chunk: Buffer) => guarded(() => reader.push(chunk)));
  stream.on('end', () => {
    guarded(() => {
      if (received === undefined)
        throw new CallError(GRPC_STATUS.INVALID_ARGUMENT, 'The call ended before its message.');
      if (!received.compressed) return use(received.bytes);
      decompress(received.bytes, encodingOf(headers), limit, () => true).then(
        (bytes) => guarded(() => use(bytes)),
        fail,
      );
    });
  });
}

export function encodingOf(headers: GrpcCall['headers']): string | undefined {
  const encoding = headers['grpc-encoding'];
  return typeof encoding === 'string' ? encoding : undefined;
}
