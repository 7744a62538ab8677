/** A real HTTP server and a folder for tests of delivery, and a clock whose pauses are over at once. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cancel } from '../../common/platform/clock.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { openModel, type ModelFile, type OpenOptions } from './open-model.ts';

/** Pauses before another attempt are over at once; other time passes only when a test says so. */
export class HurriedClock extends ManualClock {
  override after(milliseconds: number, callback: () => void): Cancel {
    if (![250, 1000, 4000].includes(milliseconds)) return super.after(milliseconds, callback);
    const immediate = setImmediate(callback);
    return () => {
      clearImmediate(immediate);
    };
  }
}

export class DeliveryFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'delivery-'));
  readonly clock = new HurriedClock();
  /** `METHOD path range` of each request, in order. */
  readonly requests: string[] = [];
  readonly #servers: Server[] = [];

  /** Gives `http://127.0.0.1:port`. */
  async serve(listener: RequestListener, onConnection?: () => void): Promise<string> {
    const server = createServer((request, response) => {
      const { method = '', url = '', headers } = request;
      this.requests.push([method, url, headers.range].filter((text) => text !== undefined).join(' '));
      listener(request, response);
    });
    if (onConnection !== undefined) server.on('connection', onConnection);
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  open(uri: string, sha256?: string, options: Partial<OpenOptions> = {}): Promise<ModelFile> {
    const { directory, clock } = this;
    const signal = new AbortController().signal;
    return openModel(
      { uri, ...(sha256 !== undefined && { sha256 }) },
      { directory, clock, signal, environment: {}, random: () => 1, ...options },
    );
  }

  close(): void {
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(this.directory, { recursive: true });
  }
}

/** Answers as a server of files does that knows ranges and versions. */
export function sendFile(request: IncomingMessage, response: ServerResponse, body: Buffer, etag = '"1"'): void {
  response.setHeader('etag', etag);
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304).end();
    return;
  }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const ifRange = request.headers['if-range'];
  if (first === undefined || last === undefined || (ifRange !== undefined && ifRange !== etag)) {
    response.writeHead(200, { 'content-length': body.byteLength }).end(body);
    return;
  }
  const start = Number(first);
  const end = Math.min(Number(last) + 1, body.byteLength);
  if (start >= body.byteLength) {
    response.writeHead(416, { 'content-range': `bytes */${body.byteLength}` }).end();
    return;
  }
  response
    .writeHead(206, { 'content-range': `bytes ${start}-${end - 1}/${body.byteLength}`, 'content-length': end - start })
    .end(body.subarray(start, end));
}
