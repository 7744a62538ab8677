import type { Server } from 'node:http';
import type { Server as SocketServer } from 'node:net';

/** Resolves to the port taken (0 asks for any), or rejects when it cannot be had. Without a host every address of the machine is taken. */
export async function listen(server: SocketServer, port: number, host: string | undefined): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server must listen on a TCP port.');
  return address.port;
}

/** Stops listening and cuts every connection, whatever it does. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
