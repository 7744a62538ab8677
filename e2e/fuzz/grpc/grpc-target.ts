/** A gRPC port: that of a runtime, or that of a gateway in front of one. */
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { addAbortSignal } from 'node:stream';
import type { MeasuredProcess } from '../../server/measured-process.ts';
import { ModelInferResponse, ModelStreamInferResponse } from '../../../runtime/grpc/messages.ts';
import { MessageReader } from '../../../runtime/grpc/message-reader.ts';
import { Random } from '../random.ts';
import type { Seed } from '../seeds.ts';
import { inTime, MAX_SENTENCE, readGauge, type Exchange, type Prober, type Target } from '../target.ts';
import { inference, makeCall, type Call } from './make-call.ts';
import { makeFrames } from './make-frames.ts';

export interface GrpcPort {
  readonly server: string;
  readonly process: MeasuredProcess;
  readonly port: number;
  /** Where the server's metrics are, and the one that counts its requests. */
  readonly metricsPort: number;
  readonly gauge: string;
}

/** One exchange in so many is of frames. */
const FRAMES_EVERY = 8;
const GOOD = '/inference.GRPCInferenceService/ModelInfer';

export function grpcTarget(seed: Seed, { server, process, port, metricsPort, gauge }: GrpcPort): Target {
  const authority = `${seed.name}.default`;
  return {
    name: `${seed.name} by gRPC${server === seed.name ? '' : `, ${server}`}`,
    server,
    process,
    open: () => new GrpcProber(seed, port, authority),
    async canary() {
      const session = connectHttp2(`http://127.0.0.1:${port}`);
      const prefix = Buffer.alloc(5);
      const message = inference(seed, new Random(1));
      prefix.writeUInt32BE(message.length, 1);
      const headers = { ':method': 'POST', ':path': GOOD, 'content-type': 'application/grpc', te: 'trailers' };
      const pieces = [Buffer.concat([prefix, message])];
      try {
        const ending = await endOf(session, authority, { kind: 'good', headers, pieces, then: 'end' });
        const outputs = ending.messages.flatMap((bytes) => ModelInferResponse.decode(bytes).outputs);
        if (ending.status !== '0' || !outputs.some((output) => output.name === seed.output)) {
          throw new Error(`After it a good call ended with ${JSON.stringify(ending)}.`);
        }
      } finally {
        session.destroy();
      }
    },
    inFlight: () => readGauge(metricsPort, gauge),
  };
}

class GrpcProber implements Prober {
  readonly #seed: Seed;
  readonly #port: number;
  readonly #authority: string;
  #session: ClientHttp2Session | undefined;

  constructor(seed: Seed, port: number, authority: string) {
    this.#seed = seed;
    this.#port = port;
    this.#authority = authority;
  }

  make(random: Random): Exchange {
    if (random.below(FRAMES_EVERY) === 0) {
      const bytes = makeFrames(this.#seed, this.#authority, random);
      return { kind: 'frames', sent: bytes, run: () => this.#sendFrames(bytes) };
    }
    const call = makeCall(this.#seed, random);
    const sent = Buffer.concat([Buffer.from(`${JSON.stringify(call.headers)} `), ...call.pieces]);
    return { kind: `${call.kind}, then ${call.then}`, sent, run: () => this.#call(call) };
  }

  close(): void {
    this.#session?.destroy();
  }

  async #call(call: Call): Promise<string[]> {
    if (this.#session === undefined || this.#session.closed || this.#session.destroyed) {
      this.#session = connectHttp2(`http://127.0.0.1:${this.#port}`);
      this.#session.on('error', () => undefined);
    }
    const ending = await endOf(this.#session, this.#authority, call);
    if (call.then !== 'end') return ['left'];
    hold(call, ending);
    return [`grpc ${ending.status ?? `none, HTTP ${ending.http}`}`];
  }

  /** Whatever becomes of them, the connection ends once its client has ended its side. */
  async #sendFrames(bytes: Buffer): Promise<string[]> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    socket.on('error', () => undefined);
    try {
      const closed = once(socket.resume(), 'close');
      socket.end(bytes);
      await inTime('end of the connection', closed);
    } finally {
      socket.destroy();
    }
    return ['frames'];
  }
}

interface Ending {
  readonly http: string;
  readonly status: string | undefined;
  readonly sentence: string;
  readonly reset: number | undefined;
  readonly messages: readonly Buffer[];
}

async function endOf(session: ClientHttp2Session, authority: string, { headers, pieces, then }: Call): Promise<Ending> {
  const stream = session.request({ ...headers, ':authority': authority }, { endStream: false });
  const closed = inTime('end of the call', new Promise((resolve) => stream.once('close', resolve)));
  let fields: IncomingHttpHeaders = {};
  const note = (received: IncomingHttpHeaders): void => {
    fields = { ...fields, ...received };
  };
  stream
    .on('error', () => undefined)
    .on('response', note)
    .on('trailers', note);
  const messages: Buffer[] = [];
  const reader = new MessageReader(2 ** 30, {
    begun: () => undefined,
    complete: ({ bytes }) => messages.push(bytes) > 0,
  });
  let isFramed = true;
  stream.on('data', (chunk: Buffer) => {
    isFramed &&= fields['content-type'] === 'application/grpc';
    if (isFramed) reader.push(chunk);
  });
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) await new Promise(setImmediate);
    if (!stream.destroyed && !stream.closed) stream.write(piece);
  }
  if (then === 'end') stream.end();
  else if (then === 'cancel') addAbortSignal(AbortSignal.abort(), stream);
  else stream.destroy();
  await closed;
  return {
    http: String(fields[':status'] ?? 'none'),
    status: fields['grpc-status']?.toString(),
    sentence: decodeURIComponent(fields['grpc-message']?.toString() ?? ''),
    reset: stream.rstCode,
    messages,
  };
}

/** INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED: what a client can do wrong. */
const MISTAKES = ['3', '5', '8', '12'];

/** Throws if the call may not end so for its client's own mistakes. */
function hold({ headers }: Call, { http, status, sentence, reset, messages }: Ending): void {
  const told = JSON.stringify({ http, status, sentence: sentence.slice(0, 1000), reset });
  if (status === undefined) {
    // Other content is HTTP's, where there is such a thing, and answered as that; a head that is none is nobody's.
    const isGrpc = /^application\/grpc(?:$|[+;])/.test(headers['content-type'] ?? '');
    if (!isGrpc && Number(http) >= 200 && Number(http) < 500) return;
    if (reset === constants.NGHTTP2_PROTOCOL_ERROR && headers[':path'] === '*') return;
    throw new Error(`The call has no status: ${told}`);
  }
  for (const bytes of headers[':path']?.endsWith('ModelStreamInfer') === true ? messages : []) {
    const { error_message: text } = ModelStreamInferResponse.decode(bytes);
    if (text.includes('runtime failed')) throw new Error(`The server answered ${text}`);
  }
  if (status === '0') return;
  const expired = /timeout|deadline/i.test(sentence) && (status === '4' || status === '14');
  if (!expired && !MISTAKES.includes(status)) throw new Error(`The server ended the call with ${told}`);
  if (sentence.length === 0 || sentence.length > MAX_SENTENCE) throw new Error(`Nobody could read why: ${told}`);
}
