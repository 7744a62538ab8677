/** Calls that want to keep what they were given: places, memory, or all of a core. */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from '@jest/globals';
import { closeTestRuntimes, testRuntime, type TestRuntime } from '../runtime.fixture.ts';
import { framedRequest, RAW_ROW } from './grpc-client.fixture.ts';
import { toParsedRequest } from './infer-request.ts';
import { ModelInferRequest } from './messages.ts';

const sessions: ClientHttp2Session[] = [];

afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await closeTestRuntimes();
});

function connect({ runtime }: TestRuntime, settings = {}): ClientHttp2Session {
  const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`, { settings });
  session.on('error', () => undefined);
  sessions.push(session);
  return session;
}

function open(session: ClientHttp2Session, path: string, headers = {}): ClientHttp2Stream {
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', ...headers });
  stream.on('error', () => undefined);
  return stream;
}

const INFER = '/inference.GRPCInferenceService/ModelInfer';
const STREAM_INFER = '/inference.GRPCInferenceService/ModelStreamInfer';

function framed(bytes: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

async function statusOf(stream: ClientHttp2Stream): Promise<string> {
  let status = '';
  for (const event of ['response', 'trailers']) {
    stream.on(event, (headers: IncomingHttpHeaders) => {
      status = headers['grpc-status']?.toString() ?? status;
    });
  }
  stream.resume();
  await once(stream, 'close');
  return status;
}

/** What is in the pod, as Prometheus sees it. */
async function inFlight({ metrics }: TestRuntime): Promise<number> {
  const [, count] = /pilotlight_runtime_requests_in_flight(?:\{[^}]*\})? (\d+)/.exec(await metrics()) ?? [];
  return Number(count);
}

async function untilIdle(runtime: TestRuntime): Promise<void> {
  for (let turn = 0; (await inFlight(runtime)) > 0; turn += 1) {
    if (turn > 1_000) throw new Error('A request of a client that left is still in the pod.');
    await new Promise(setImmediate);
  }
}

test('streams that end in the middle of a message give its memory back', async () => {
  const runtime = await testRuntime();
  const session = connect(runtime);
  // Four of the largest have room.
  for (let count = 0; count < 5; count += 1) {
    const stream = open(session, STREAM_INFER);
    stream.write(Buffer.from('0000002710', 'hex'));
    await new Promise((resolve) => session.ping(resolve));
    stream.close();
    await untilIdle(runtime);
  }
  const stream = open(session, INFER);
  stream.end(framedRequest(RAW_ROW));
  expect(await statusOf(stream)).toBe('0');
});

test('messages that are small until they are decompressed take their memory as they grow', async () => {
  const runtime = await testRuntime();
  const session = connect(runtime);
  // Each would have room alone, and together they are twice what there is.
  const message = framed(gzipSync(Buffer.alloc(9_000)), true);
  const streams = Array.from({ length: 9 }, () => {
    const stream = open(session, STREAM_INFER, { 'grpc-encoding': 'gzip' });
    stream.write(message);
    return stream;
  });
  const answers = await Promise.all(streams.map(async (stream) => String((await once(stream, 'data'))[0])));
  expect(answers.filter((text) => text.includes('as many requests'))).not.toEqual([]);
  for (const stream of streams) stream.close();
  await untilIdle(runtime);
  expect((await runtime.infer()).status).toBe(200);
});

test('a stream has no more messages in the pod than it may, whatever one packet brings', async () => {
  const runtime = await testRuntime();
  runtime.model.hold();
  const stream = open(connect(runtime), STREAM_INFER);
  const answered: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => answered.push(chunk));
  stream.end(Buffer.concat(Array.from({ length: 100 }, () => framedRequest(RAW_ROW))));
  while (runtime.model.load.waiting < 15) await new Promise(setImmediate);
  for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  expect(runtime.model.load.waiting + runtime.model.load.running).toBe(16);
  runtime.model.release();
  await once(stream, 'close');
  expect(runtime.model.requests.length).toBeGreaterThanOrEqual(100);
});

test('a stream that is reset without an error while it is not read leaves its place', async () => {
  const runtime = await testRuntime();
  runtime.model.hold();
  const stream = open(connect(runtime), STREAM_INFER);
  stream.write(Buffer.concat(Array.from({ length: 16 }, () => framedRequest(RAW_ROW))));
  while (runtime.model.load.waiting < 15) await new Promise(setImmediate);
  stream.write(Buffer.alloc(5_000));
  // Unlike `close`, as RST_STREAM with NO_ERROR.
  setImmediate(() => stream.destroy());
  while (runtime.model.load.waiting > 0) await new Promise(setImmediate);
  runtime.model.release();
  await untilIdle(runtime);
});

test('a call that is reset without an error while its answer cannot be sent leaves its place', async () => {
  const runtime = await testRuntime();
  const session = connect(runtime, { initialWindowSize: 0 });
  await once(session, 'remoteSettings');
  const stream = open(session, STREAM_INFER);
  // An answer, and what ends the stream with it still unsent.
  stream.write(framedRequest(RAW_ROW));
  await once(stream, 'response');
  stream.write('no message');
  await new Promise((resolve) => session.ping(resolve));
  stream.destroy();
  await untilIdle(runtime);
});

test('who asks for definitions and does not read them is not answered on', async () => {
  const runtime = await testRuntime();
  const session = connect(runtime, { initialWindowSize: 0 });
  await once(session, 'remoteSettings');
  const before = process.memoryUsage().arrayBuffers;
  const symbol = Buffer.from('inference.GRPCInferenceService');
  const question = framed(Buffer.concat([Buffer.from([0x22, symbol.length]), symbol]));
  for (let count = 0; count < 10; count += 1) {
    const stream = open(session, '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    stream.write(Buffer.concat(Array.from({ length: 400 }, () => question)));
  }
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => session.ping(resolve));
  // All the answers are 40 MB.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
});

test.each([
  ['fields that are not known', Buffer.from('7801', 'hex'), 'fields'],
  ['one name again and again', Buffer.from('0a00', 'hex'), 'fields'],
  ['one parameter again and again', Buffer.from('2200', 'hex'), 'fields'],
])('a message of nothing but %s is refused before all of it is read', (_what, field, reason) => {
  expect(() => ModelInferRequest.decode(Buffer.alloc(3_000_000, field))).toThrow(reason);
});

test('so is one whose fields are in the messages in it', () => {
  const contents = Buffer.alloc(3_000_000, Buffer.from('2a00', 'hex'));
  const length = Buffer.from([
    (contents.length % 128) | 128,
    ((contents.length >> 7) % 128) | 128,
    ((contents.length >> 14) % 128) | 128,
    contents.length >> 21,
  ]);
  expect(() => ModelInferRequest.decode(Buffer.concat([Buffer.from('2a', 'hex'), length, contents]))).toThrow('fields');
});

test('more integers as typed contents than are read in a moment are to be sent raw', () => {
  const bool_contents = { bytes: Buffer.alloc(17_000_000) };
  const input = {
    name: 'x',
    datatype: 'BOOL',
    shape: [17_000_000],
    parameters: new Map(),
    contents: { bool_contents },
  };
  const message = { ...ModelInferRequest.zero, inputs: [input] };
  expect(() => toParsedRequest(message)).toThrow('raw_input_contents');
});
