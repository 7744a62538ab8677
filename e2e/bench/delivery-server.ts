/**
 * Serves `SIZE` zeros, or `FILE`, by ranges on a free port, which it tells its parent: as fast as it can, or like one that is far away, `LATENCY`
 * milliseconds and `RATE` bytes a second for each connection.
 */
import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const { FILE: file } = process.env;
const content = file === undefined ? undefined : readFileSync(file);
const size = content?.byteLength ?? Number(process.env['SIZE']);
const latency = Number(process.env['LATENCY'] ?? 0);
const rate = Number(process.env['RATE'] ?? Infinity);
const TICK_MILLISECONDS = 5;
const CHUNK = Buffer.alloc(1 << 20);

const server = createServer((request, response) => {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(size, Number(last ?? size) + 1);
  const headers = { 'content-length': end - start, 'content-range': `bytes ${start}-${end - 1}/${size}`, etag: '"1"' };
  setTimeout(() => {
    response.writeHead(first === undefined ? 200 : 206, headers);
    if (content !== undefined) response.end(content.subarray(start, end));
    else if (rate === Infinity) send(response, end - start);
    else trickle(response, end - start);
  }, latency);
}).listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));

function send(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0) {
      const length = Math.min(left, CHUNK.byteLength);
      left -= length;
      if (!response.write(CHUNK.subarray(0, length))) {
        response.once('drain', more);
        return;
      }
    }
    response.end();
  };
  more();
}

function trickle(response: ServerResponse, bytes: number): void {
  const begun = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(bytes, Math.floor(((performance.now() - begun) / 1000) * rate));
    while (sent < due) {
      const length = Math.min(due - sent, CHUNK.byteLength);
      sent += length;
      response.write(CHUNK.subarray(0, length));
    }
    if (sent === bytes) {
      clearInterval(timer);
      response.end();
    }
  }, TICK_MILLISECONDS);
  response.once('close', () => clearInterval(timer));
}
