import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** What a process says about itself: a sentence why not, or undefined when all is well. */
export type HealthCheck = () => string | undefined;

export interface HealthServerOptions {
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly registry: Registry;
  /** Is this process worth keeping? The kubelet restarts it otherwise. */
  readonly live?: HealthCheck;
  /** Should it be given work? */
  readonly ready: HealthCheck;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics`, `/healthz` and `/readyz`, on a port of its own that only Prometheus and the kubelet need to reach. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const { registry, ready, live = () => undefined } = options;
  const server: Server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    const check = (failure: string | undefined): void => {
      if (failure === undefined) answer(200, 'ok\n');
      else answer(503, `${failure}\n`);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'Only GET is answered here.\n');
    switch (request.url?.split('?', 1)[0]) {
      case '/healthz':
        return check(live());
      case '/readyz':
        return check(ready());
      case '/metrics':
        registry.metrics().then(
          (text) => {
            answer(200, text, registry.contentType);
          },
          (error: unknown) => {
            answer(500, `Collecting metrics failed: ${String(error)}\n`);
          },
        );
        return;
      default:
        return answer(404, 'There is /metrics, /healthz and /readyz here.\n');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The health server must listen on a TCP port.');
  return {
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
