/** Tells HTTP/2 with prior knowledge (RFC 9113 §3.3) from HTTP/1.1 by the first bytes of a connection. */
import type { Socket } from 'node:net';
import type { Clock } from '../../common/platform/clock.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export interface Protocols {
  readonly clock: Clock;
  /** Within this it must be clear which it is. */
  readonly milliseconds: number;
  readonly http1: (socket: Socket) => void;
  readonly http2: (socket: Socket) => void;
}

/** Calls one of the two, which finds all bytes still to be read; neither, if the client leaves or says nothing for too long. */
export function sniffProtocol(socket: Socket, { clock, milliseconds, http1, http2 }: Protocols): void {
  let seen: Buffer | undefined;
  const destroy = (): void => {
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    seen = seen === undefined ? chunk : Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const isPreface = seen.compare(PREFACE, 0, length, 0, length) === 0;
    if (isPreface && length < PREFACE.length) return;
    cancel();
    socket.off('data', onData).off('end', destroy).off('error', destroy).off('close', cancel);
    if (isPreface) {
      socket.pause();
      socket.unshift(seen);
      http2(socket);
    } else {
      // Its parser takes what comes from the socket's handle, and these bytes from the socket: it must listen before they are there again.
      http1(socket);
      socket.unshift(seen);
    }
  };
  const cancel = clock.after(milliseconds, destroy);
  socket.on('data', onData).on('end', destroy).on('error', destroy).on('close', cancel);
}
