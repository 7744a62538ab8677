/**
 * A bare `node:http` server, the floor of what any server here can cost: it reads a request's body and answers with the bytes of a file, whatever was asked.
 * Takes the file and the answer's headers as a JSON list; prints its port. With a BareSession as JSON, which its thread runs before each answer, it is the
 * floor of a server whose sessions have threads.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { BareSession } from './bare-session.ts';

/** Below this, head and body go out in one write, which is cheaper, where the body is text. */
const ONE_WRITE_BYTES = 8 * 1024;

const [file = '', headers = '[]', session] = process.argv.slice(2);
const answer = readFileSync(file);
const text = answer.length <= ONE_WRITE_BYTES ? answer.toString('latin1') : undefined;
const head = [...(JSON.parse(headers) as string[]), 'content-length', String(answer.length)];
const run = session === undefined ? undefined : startThread(JSON.parse(session) as BareSession);

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  const respond = (): void => {
    response.writeHead(200, head);
    if (text === undefined) response.end(answer);
    else response.end(text, 'latin1');
  };
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (run !== undefined) run(new Uint8Array(Buffer.concat(chunks)), respond);
    else {
      if (chunks.length > 1) Buffer.concat(chunks);
      respond();
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});

/** Answers come in the order of the bodies. */
function startThread(workerData: BareSession): (body: Uint8Array<ArrayBuffer>, done: () => void) => void {
  const waiting: (() => void)[] = [];
  const worker = new Worker(new URL('bare-session.ts', import.meta.url), { workerData });
  worker.on('message', () => waiting.shift()?.());
  return (body, done) => {
    waiting.push(done);
    worker.postMessage(body, [body.buffer]);
  };
}
