import { connect, type Socket } from 'node:net';

/** A pod in the same cluster answers a SYN within a millisecond; one retransmission (1 s) is waited for. */
export const CONNECT_MILLISECONDS = 2_000;

/** A connection without traffic is probed by the kernel after so long, each second, and ends with the tenth probe that nobody answers, or with a reset. */
export const KEEP_ALIVE_MILLISECONDS = 5_000;

/** A connection to a pod, which fails if there is none in time. */
export function dial(host: string, port: number): Socket {
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MILLISECONDS,
  });
  socket.setTimeout(CONNECT_MILLISECONDS, () => {
    socket.destroy(new Error(`No connection within ${CONNECT_MILLISECONDS} ms.`));
  });
  socket.once('connect', () => socket.setTimeout(0));
  return socket;
}
