/** An HTTP server that plays an API server's misbehaviour, for what a real one does not do on demand. Only for tests. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeApiServer {
  readonly kubeconfigPath: string;
  /** Connections that were ever opened. */
  readonly connections: number;
  /** Method and path with query of each request, in order. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

/** Starts one on a free port of this machine. */
export async function startFakeApiServer(
  handler: Handler,
  user: object = { token: 'secret-token\n' },
): Promise<FakeApiServer> {
  const sockets = new Set<Socket>();
  const requests: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      handler(request, response, Buffer.concat(chunks).toString());
    });
  });
  server.on('connection', (socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-fake-api-'));
  const kubeconfigPath = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'fake',
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'fake' } }],
    clusters: [
      { name: 'fake', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/` } },
    ],
    users: [{ name: 'fake', user }],
  };
  await writeFile(kubeconfigPath, JSON.stringify(config));
  return {
    kubeconfigPath,
    requests,
    get connections() {
      return connections;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

export function answer(
  response: ServerResponse,
  status: number,
  body: object | string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
