/** A server of model files that behaves as badly as a test wants. Paths can be told anew at any time. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Serving = (response: ServerResponse) => void;

export class ModelServer {
  readonly #server: Server;
  readonly #serving = new Map<string, Serving>();
  readonly #late = new Map<string, ServerResponse[]>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', ({ url = '' }, response: ServerResponse) => {
      (this.#serving.get(url) ?? missing)(response);
    });
  }

  static async start(): Promise<ModelServer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ModelServer(server);
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  serve(path: string, serving: Serving): void {
    this.#serving.set(path, serving);
  }

  /** Answers nothing until `release`. */
  hold(path: string): void {
    this.serve(path, (response) => {
      this.#late.set(path, [...(this.#late.get(path) ?? []), response]);
    });
  }

  /** Answers all who waited, and from now on everybody. */
  release(path: string, model: Buffer): void {
    this.serve(path, whole(model));
    for (const response of this.#late.get(path) ?? []) whole(model)(response);
    this.#late.delete(path);
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

export function whole(model: Buffer): Serving {
  return (response) => response.writeHead(200, { 'content-length': model.length }).end(model);
}

/** Promises all of it, and breaks off in the middle. */
export function truncated(model: Buffer): Serving {
  return (response) => {
    response.writeHead(200, { 'content-length': model.length });
    response.write(model.subarray(0, model.length / 2), () => response.destroy());
  };
}

function missing(response: ServerResponse): void {
  response.writeHead(404).end();
}

/** An address where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
