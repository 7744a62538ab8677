/**
 * A bare `node:http` server, the floor of what any server here can cost: it reads a request's body and answers with the bytes of a file, whatever was asked.
 * Takes the file and the answer's headers as a JSON list; prints its port.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Below this, head and body go out in one write, which is cheaper, where the body is text. */
const ONE_WRITE_BYTES = 8 * 1024;

const [file = '', headers = '[]'] = process.argv.slice(2);
const body = readFileSync(file);
const text = body.length <= ONE_WRITE_BYTES ? body.toString('latin1') : undefined;
const head = [...(JSON.parse(headers) as string[]), 'content-length', String(body.length)];

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (chunks.length > 1) Buffer.concat(chunks);
    response.writeHead(200, head);
    if (text === undefined) response.end(body);
    else response.end(text, 'latin1');
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as AddressInfo).port);
});
