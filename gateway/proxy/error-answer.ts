/** Answers that the gateway gives itself: JSON `{"error": sentence, "code": code}`. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../common/platform/clock.ts';
import { GATEWAY_ERRORS, RETRYABLE_CODES, type GatewayErrorCode } from '../../common/wire/errors.ts';

/**
 * How long the rest of a body that nobody wants is read and thrown away before the connection ends. Closing it with unread bytes makes the kernel
 * reset the connection, and the client would lose the answer that says why.
 */
const LINGER_MILLISECONDS = 1_000;

export function errorBody(code: GatewayErrorCode, message: string): string {
  return `${JSON.stringify({ error: message, code })}\n`;
}

export function tooLargeMessage(maxHeaderBytes: number): string {
  return `The head of the request is larger than ${maxHeaderBytes} bytes.`;
}

/** Nothing of an answer may have been written before. The connection is kept for the next request. */
export function answerError(
  response: ServerResponse,
  code: GatewayErrorCode,
  message: string,
  retryAfter: number,
): void {
  const body = errorBody(code, message);
  response.writeHead(GATEWAY_ERRORS[code].status, errorFields(code, body, retryAfter)).end(body);
}

/** The same while a large body is still coming in: the connection ends, but not before the client could read why. */
export function refuseBody(
  request: IncomingMessage,
  response: ServerResponse,
  clock: Clock,
  code: GatewayErrorCode,
  message: string,
  retryAfter: number,
): void {
  const body = errorBody(code, message);
  response.writeHead(GATEWAY_ERRORS[code].status, [...errorFields(code, body, retryAfter), 'connection', 'close']);
  response.write(body);
  discardRest(request, clock, () => {
    response.end();
  });
}

/** Reads and throws away what still comes of a request, and calls back when it is whole, its client is gone, or that takes too long. */
export function discardRest(request: IncomingMessage, clock: Clock, done: () => void): void {
  const end = (): void => {
    cancel();
    request.off('end', end);
    request.off('close', end);
    done();
  };
  const cancel = clock.after(LINGER_MILLISECONDS, end);
  request.on('end', end);
  request.on('close', end);
  request.resume();
}

/** Lets a connection go whose last bytes were written: its client could read them, and has closed it, or does not get round to that. */
export function closeSoon(socket: Duplex, clock: Clock): void {
  const cancel = clock.after(LINGER_MILLISECONDS, () => socket.destroy());
  socket.once('close', cancel);
  socket.resume();
}

/** Headers of such an answer: name, value, name, value, …; `retryAfter` in seconds. */
export function errorFields(code: GatewayErrorCode, body: string, retryAfter: number): string[] {
  const fields = ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))];
  if (RETRYABLE_CODES.includes(code)) fields.push('retry-after', String(retryAfter));
  return fields;
}
