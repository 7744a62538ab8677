/** Starting and ending a server on a port. */
import type { Server } from 'node:http';
import type { Clock } from '../common/platform/clock.ts';

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

/** Takes no more connections, waits for those with a request, and cuts them after so many milliseconds. */
export function closeServer(server: Server, clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(milliseconds, () => {
      server.closeAllConnections();
    });
    server.close(() => {
      cancel();
      resolve();
    });
  });
}
