/** The thread that reads and writes large JSON, so that the server's thread goes on answering: 3 MB of it take 30 ms. Each message has one answer. */
import { parentPort } from 'node:worker_threads';
import { responseEncoder } from '../protocol/encode-response.ts';
import { HEADER_LENGTH, parseRequest } from '../protocol/parse-request.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { FromCodec, ToCodec } from './codec-messages.ts';

if (parentPort === null) throw new Error('This file is the body of a worker thread, not a program.');
const port = parentPort;

port.on('message', (message: ToCodec) => {
  try {
    if (message.kind === 'parse') parse(message);
    else encode(message);
  } catch (error) {
    if (error instanceof ProtocolError) answer({ kind: 'refused', message: error.message, status: error.status });
    else answer({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});

function parse({ headerLength, body }: Extract<ToCodec, { kind: 'parse' }>): void {
  const headers = headerLength === undefined ? {} : { [HEADER_LENGTH]: headerLength };
  const request = parseRequest(headers, Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const transfer = new Set(request.inputs.map(({ data }) => data.buffer as ArrayBuffer));
  answer({ kind: 'parsed', request }, [...transfer]);
}

function encode({ model, version, request, outputs }: Extract<ToCodec, { kind: 'encode' }>): void {
  const { body, jsonLength } = responseEncoder(model, version)(request, outputs);
  // Node's shared pool, where shorter ones lie, cannot be transferred.
  const bytes = new Uint8Array(body);
  answer({ kind: 'encoded', body: bytes, jsonLength }, [bytes.buffer]);
}

function answer(message: FromCodec, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}
