import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../common/platform/clock.ts';
import { CLOSE, JSON_TYPE } from './answers.ts';

/** For the client to read the answer and close. Bytes that nobody read would make the kernel take it back. */
const LINGER_MILLISECONDS = 1_000;

/** What is not HTTP gets an answer with the pod's headers too; without them a gateway would take it for another program's. */
export function answerBrokenHttp(
  error: NodeJS.ErrnoException,
  socket: Socket,
  identity: readonly string[],
  clock: Clock,
): void {
  // Answered already, and what still comes is no better.
  if (socket.writableEnded && !socket.destroyed) return;
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const body = JSON.stringify({ error: `The request is not valid HTTP: ${STATUS_CODES[status] ?? ''}.` });
  const headers = [...identity, ...JSON_TYPE, ...CLOSE, 'content-length', String(Buffer.byteLength(body))];
  const lines = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n${body}`);
  const cancel = clock.after(LINGER_MILLISECONDS, () => socket.destroy());
  socket.once('close', cancel);
  socket.resume();
}
