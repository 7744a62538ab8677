/**
 * Requests and responses as bytes, where small ones are read and written at once and large JSON in a thread of its own, which starts with the first of it.
 * The thread does one thing at a time: what waits stays here, and does not go down with a thread that ran out of memory.
 */
import { Worker } from 'node:worker_threads';
import type { IncomingHttpHeaders } from 'node:http';
import { Abandoned } from '../admission/execution.ts';
import type { Tensor } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';
import { responseEncoder, type EncodedResponse } from '../protocol/encode-response.ts';
import { HEADER_LENGTH, isBinary, parseRequest, type ParsedRequest } from '../protocol/parse-request.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { FromCodec, ToCodec } from './codec-messages.ts';

/** JSON of this size is read in 1 ms; to hand it to a thread and back costs a tenth of that. */
const LARGE_REQUEST_BYTES = 100 * 1024;
/** So many elements are written as JSON in 1 ms. */
const LARGE_RESPONSE_ELEMENTS = 10_000;

/** The worker program lies beside this one: its TypeScript in a checkout, its bundle in dist/. */
const WORKER_FILE = new URL(
  import.meta.url.endsWith('.ts') ? './codec-worker.ts' : './runtime-codec.js',
  import.meta.url,
);

/** Who asks: a job whose turn comes when nobody waits for it any more is dropped. */
export interface Asker {
  readonly abandoned: boolean;
}

interface Job {
  readonly asker: Asker;
  readonly message: ToCodec;
  readonly transfer: ArrayBuffer[];
  readonly resolve: (answer: FromCodec) => void;
  readonly reject: (error: Error) => void;
}

export class Codec {
  readonly #file: URL;
  readonly #model: string;
  readonly #version: string;
  readonly #encode: ReturnType<typeof responseEncoder>;
  readonly #jobs: Job[] = [];
  #current: Job | undefined;
  #worker: Worker | undefined;

  /** Of the answers it writes. `file` is another program only in tests. */
  constructor(model: string, version: string, file: URL = WORKER_FILE) {
    this.#file = file;
    this.#model = model;
    this.#version = version;
    this.#encode = responseEncoder(model, version);
  }

  /** Takes the body over when it is large. Throws or rejects with ProtocolError for everything that is not a request, rejects with Abandoned. */
  parse(headers: IncomingHttpHeaders, body: Buffer, asker: Asker): ParsedRequest | Promise<ParsedRequest> {
    const headerLength = headers[HEADER_LENGTH];
    const isLarge = body.length > LARGE_REQUEST_BYTES && !(Number(headerLength) <= LARGE_REQUEST_BYTES);
    if (!isLarge || Array.isArray(headerLength)) return parseRequest(headers, body);
    const bytes = new Uint8Array(body.buffer as ArrayBuffer, body.byteOffset, body.byteLength);
    return this.#parseApart({ kind: 'parse', headerLength, body: bytes }, asker);
  }

  /** Throws or rejects with ProtocolError for outputs that JSON cannot carry, rejects with Abandoned. */
  encode(request: ParsedRequest, outputs: readonly Tensor[], asker: Asker): EncodedResponse | Promise<EncodedResponse> {
    return isLargeJson(request, outputs) ? this.#encodeApart(request, outputs, asker) : this.#encode(request, outputs);
  }

  /** Nothing may be asked of it any more. */
  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #parseApart(message: Extract<ToCodec, { kind: 'parse' }>, asker: Asker): Promise<ParsedRequest> {
    const answer = await this.#ask(asker, message, [message.body.buffer]);
    if (answer.kind !== 'parsed') throw asError(answer);
    return answer.request;
  }

  async #encodeApart(request: ParsedRequest, given: readonly Tensor[], asker: Asker): Promise<EncodedResponse> {
    // Copies: a batch's outputs are views of one buffer, of which others still need their parts.
    const outputs = given.map((tensor) => ({ ...tensor, data: new Uint8Array(tensor.data) }));
    const message: ToCodec = {
      kind: 'encode',
      model: this.#model,
      version: this.#version,
      request: { ...request, inputs: [] },
      outputs,
    };
    const answer = await this.#ask(
      asker,
      message,
      outputs.map(({ data }) => data.buffer),
    );
    if (answer.kind !== 'encoded') throw asError(answer);
    const { body, jsonLength } = answer;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    return jsonLength === undefined ? { body: bytes } : { body: bytes, jsonLength };
  }

  #ask(asker: Asker, message: ToCodec, transfer: ArrayBuffer[]): Promise<FromCodec> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ asker, message, transfer, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    while (this.#current === undefined) {
      const job = this.#jobs.shift();
      if (job === undefined) return;
      if (job.asker.abandoned) {
        job.reject(new Abandoned('The client left before its JSON was read or written.'));
        continue;
      }
      this.#worker ??= this.#start();
      this.#current = job;
      this.#worker.postMessage(job.message, job.transfer);
    }
  }

  #start(): Worker {
    const worker = new Worker(this.#file, { name: 'codec' });
    worker.on('message', (answer: FromCodec) => {
      this.#settle((job) => {
        job.resolve(answer);
      });
    });
    worker.once('error', (error: unknown) => {
      this.#worker = undefined;
      this.#settle((job) => {
        job.reject(crash(error));
      });
    });
    return worker;
  }

  #settle(settle: (job: Job) => void): void {
    const ended = this.#current;
    this.#current = undefined;
    if (ended !== undefined) settle(ended);
    this.#next();
  }
}

function isLargeJson(request: ParsedRequest, outputs: readonly Tensor[]): boolean {
  let elements = 0;
  for (const { name, shape } of outputs) {
    if (isBinary(request, name)) continue;
    elements += elementCount(shape);
  }
  return elements > LARGE_RESPONSE_ELEMENTS;
}

function asError(answer: FromCodec): Error {
  if (answer.kind === 'refused') return new ProtocolError(answer.message, answer.status);
  return new Error(answer.kind === 'failed' ? answer.message : `The codec's thread answered "${answer.kind}".`);
}

/** Parsed JSON can take 60 times its length; a thread that had no room for it has ended, and the process has not. */
function crash(error: unknown): Error {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new ProtocolError(
      'The JSON of the request takes more memory than there is for it; send tensors of this size as binary data.',
      413,
    );
  }
  return new Error('The codec’s thread crashed.', { cause: error });
}
