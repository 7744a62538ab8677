/** Starting and ending a server on a port. */
import type { Server } from 'node:http';
import type { Clock } from '../common/platform/clock.ts';
import { repeat } from './repeat.ts';

/** Resolves with the port, which the system chose if 0 was asked for; rejects if it cannot be had. */
export async function listen(server: Server, port: number, host: string | undefined): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The gateway must listen on a TCP port.');
  return address.port;
}

/** An answer that had begun before the end did not ask its client to let go of the connection. */
const IDLE_MILLISECONDS = 1_000;

/** Takes no more connections, waits for those with a request, and cuts them after so many milliseconds. */
export function closeServer(server: Server, clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const cancelCut = clock.after(milliseconds, () => {
      server.closeAllConnections();
    });
    const cancelIdle = repeat(clock, IDLE_MILLISECONDS, () => {
      server.closeIdleConnections();
    });
    server.close(() => {
      cancelCut();
      cancelIdle();
      resolve();
    });
  });
}
