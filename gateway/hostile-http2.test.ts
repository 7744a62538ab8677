/** Clients and pods that speak HTTP/2 as none should. */
import { once } from 'node:events';
import {
  connect as connectHttp2,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type Settings,
} from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { addAbortSignal } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { FLAG, FRAME, frame, headerBlock, PREFACE, type HeaderField } from '../common/wire/http2-frames.fixture.ts';
import { call } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { begin, StubGrpcRuntime, type GrpcBehaviour } from './testing/stub-grpc-runtime.ts';

let gateway: GatewayFixture;
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  gateway = await GatewayFixture.start();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await gateway.close();
});

const GRPC = {
  ':method': 'POST',
  ':path': '/inference.GRPCInferenceService/ModelInfer',
  ':authority': 'digits.default',
  'content-type': 'application/grpc',
  te: 'trailers',
};
/** The same for those who write their frames themselves. */
const REQUEST: readonly HeaderField[] = [[':scheme', 'http'], ...Object.entries(GRPC)];
const STATUS_ONLY = { 'content-type': 'application/grpc', 'pilotlight-pod-uid': 'a', 'grpc-status': '3' };
const MESSAGE = Buffer.from('\0\0\0\0\x01x');

async function stub(behaviour?: GrpcBehaviour): Promise<StubGrpcRuntime> {
  const runtime = await StubGrpcRuntime.start('a', behaviour);
  closing.push(() => runtime.close());
  return runtime;
}

/** A function with one pod, which has this gRPC port, or with none. */
async function serve(grpc?: number): Promise<void> {
  const pods =
    grpc === undefined
      ? []
      : [{ name: 'pod-a', uid: 'a', state: 'Ready' as const, host: '127.0.0.1', ports: { http: 1, grpc, control: 1 } }];
  await gateway.leader([functionRoute({ revisions: [revisionRoute(pods)] })]);
}

function session(settings: Settings = {}): { session: ClientHttp2Session; socket: Socket } {
  const socket = connect(gateway.ports.http, '127.0.0.1');
  const made = connectHttp2('http://gateway', { createConnection: () => socket, settings });
  made.on('error', () => undefined);
  closing.push(() => made.destroy());
  return { session: made, socket };
}

function request(from: ClientHttp2Session, headers: Record<string, string> = GRPC): ClientHttp2Stream {
  const stream = from.request(headers, { endStream: false });
  stream.on('error', () => undefined);
  return stream;
}

/** A pod's gRPC port that answers each call with these frames of HTTP/2, and tells of each frame that it gets. */
async function podThatSends(
  answer: (stream: number) => readonly Buffer[],
  received: (type: number, flags: number) => void = () => undefined,
): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(frame(FRAME.settings, 0, 0));
    let bytes = Buffer.alloc(0);
    let isPreface = true;
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (isPreface && bytes.length >= PREFACE.length) {
        isPreface = false;
        bytes = bytes.subarray(PREFACE.length);
      }
      while (!isPreface && bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const [type = 0, flags = 0] = bytes.subarray(3, 5);
        received(type, flags);
        if (type === FRAME.headers) socket.write(Buffer.concat(answer(bytes.readUInt32BE(5))));
        bytes = bytes.subarray(9 + bytes.readUIntBE(0, 3));
      }
    });
    closing.push(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

const HEAD: readonly HeaderField[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
  ['pilotlight-pod-uid', 'a'],
];
const head = (stream: number, fields: readonly HeaderField[]): Buffer =>
  frame(FRAME.headers, FLAG.endHeaders, stream, headerBlock(fields));
const trailers = (stream: number, fields: readonly HeaderField[]): Buffer =>
  frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream, headerBlock(fields));

/** How the call ended: its status, or the code of the reset. */
async function ending(stream: ClientHttp2Stream): Promise<{ status: unknown; reset: number | undefined }> {
  let status: unknown;
  stream.on('trailers', (fields: IncomingHttpHeaders) => {
    status = fields['grpc-status'];
  });
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
  return { status, reset: stream.rstCode };
}

test.each(['before', 'after'])(
  'a stream that its client resets without an error %s the answer began, with bytes unread, leaves its pod',
  async (when) => {
    const pod = await stub((call, runtime) => {
      call.stream.pause();
      if (when === 'after') begin(call, runtime);
    });
    await serve(pod.port);
    const { session: one } = session();
    const stream = request(one);
    stream.write(MESSAGE);
    const call = await pod.received.next();
    // Nobody says that the rest may come, so it stays in the gateway.
    stream.write(Buffer.alloc(100_000));
    await new Promise((resolve) => one.ping(resolve));
    // Unlike `close`, as RST_STREAM with NO_ERROR, without the request's end.
    stream.destroy();
    await gateway.inFlight(0);
    await once(call.stream, 'close');
    expect(await gateway.metric('pilotlight_gateway_requests_total', { outcome: 'aborted' })).toBe(1);
  },
);

test('a stream that its client resets without an error while its answer cannot be sent is over', async () => {
  const pod = await stub((call, runtime) => {
    begin(call, runtime);
    call.stream.end('an answer that does not wait for the end of the request');
  });
  await serve(pod.port);
  const { session: one } = session({ initialWindowSize: 0 });
  await once(one, 'remoteSettings');
  const stream = request(one);
  stream.write(MESSAGE);
  await pod.received.next();
  await once(stream, 'response');
  await gateway.inFlight(0);
  stream.destroy();
  await gateway.until(async () => (await gateway.metric('pilotlight_gateway_requests_total')) > 0);
});

test('the calls of a client that ends its connection leave their places', async () => {
  await serve();
  const { session: one, socket } = session();
  request(one).write(MESSAGE);
  await gateway.queued(1);
  socket.end();
  await gateway.queued(0);
  await once(one, 'close');
});

test('a connection that ends before it is known what it speaks is closed', async () => {
  const socket = connect(gateway.ports.http, '127.0.0.1');
  socket.end(PREFACE.subarray(0, 10));
  await once(socket.resume(), 'close');
});

test('a pod is not told that a request is whole when its client takes it back', async () => {
  const types: number[] = [];
  const { promise: reset, resolve } = Promise.withResolvers<unknown>();
  const { promise: reached, resolve: reach } = Promise.withResolvers<unknown>();
  await serve(
    await podThatSends(
      () => [],
      (type, flags) => {
        if (type === FRAME.data) types.push(flags & FLAG.endStream);
        if (type === FRAME.data) reach(undefined);
        if (type === FRAME.rstStream) resolve(undefined);
      },
    ),
  );
  const stream = request(session().session);
  stream.write(MESSAGE);
  await reached;
  // Unlike `close`, which ends the request itself.
  addAbortSignal(AbortSignal.abort(), stream);
  await reset;
  expect(types).toEqual([0]);
});

test('an answer that its pod cuts short is not whole for the client either', async () => {
  const http = await gateway.runtime('a', ({ response }, runtime) => {
    response.writeHead(200, { 'pilotlight-pod-uid': 'a' });
    response.write('half of it', () => runtime.breakConnections());
  });
  await gateway.leader([functionRoute({ revisions: [revisionRoute([http.route()])] })]);
  const stream = request(session().session, { ':path': '/', ':authority': 'digits.default' });
  stream.end();
  expect(await ending(stream)).toMatchObject({ reset: constants.NGHTTP2_INTERNAL_ERROR });
});

test.each<[string, (stream: number) => readonly Buffer[], { status?: string; reset: number }]>([
  [
    'a status that there is not',
    (stream) => [head(stream, [[':status', '999'], ...HEAD.slice(1)]), trailers(stream, [['grpc-status', '0']])],
    { status: '14', reset: constants.NGHTTP2_NO_ERROR },
  ],
  [
    'a field of the connection in its head',
    (stream) => [head(stream, [...HEAD, ['http2-settings', 'x']]), trailers(stream, [['grpc-status', '0']])],
    { status: '0', reset: constants.NGHTTP2_NO_ERROR },
  ],
  [
    'a field of the connection in its trailers',
    (stream) => [head(stream, HEAD), trailers(stream, [['http2-settings', 'x']])],
    { reset: constants.NGHTTP2_INTERNAL_ERROR },
  ],
])('a pod that sends %s ends its own call and no other', async (_what, answer, expected) => {
  await serve(await podThatSends(answer));
  const { session: one } = session();
  for (let call = 0; call < 2; call += 1) {
    const stream = request(one);
    stream.end(MESSAGE);
    expect(await ending(stream)).toMatchObject(expected);
  }
  await gateway.inFlight(0);
});

test('a field may be named as what every object has', async () => {
  const pod = await stub((call, runtime) => {
    begin(call, runtime, { 'grpc-status': '0', constructor: 'theirs' });
    call.stream.end();
  });
  await serve(pod.port);
  const stream = request(session().session, { ...GRPC, constructor: 'ours' });
  stream.end(MESSAGE);
  const [received] = (await once(stream, 'trailers')) as [IncomingHttpHeaders];
  expect(received['constructor']).toBe('theirs');
  expect((await pod.received.next()).headers['constructor']).toBe('ours');
});

test('a client that opens and resets streams by the thousand loses its connection', async () => {
  await serve((await stub()).port);
  const socket = connect(gateway.ports.http, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]));
  const cancelled = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const flood = Array.from({ length: 1_200 }, (_, number) => {
    const stream = 2 * number + 1;
    return [head(stream, REQUEST), frame(FRAME.rstStream, 0, stream, cancelled)];
  });
  socket.write(Buffer.concat(flood.flat()));
  await once(socket, 'close');
  await gateway.inFlight(0);
  const stream = request(session().session);
  stream.end(MESSAGE);
  expect(await ending(stream)).toMatchObject({ status: '0' });
});

test('a client whose connection is full, and that sends all its calls anew the moment they expire, keeps it', async () => {
  await serve();
  const socket = connect(gateway.ports.http, '127.0.0.1');
  closing.push(() => socket.destroy());
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk])));
  socket.on('error', () => undefined);
  const streams = Array.from({ length: 256 }, (_, number) => 2 * number + 1);
  const send = (stream: number): Buffer[] => [
    head(stream, REQUEST),
    frame(FRAME.data, FLAG.endStream, stream, MESSAGE),
  ];
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), frame(FRAME.settings, FLAG.acknowledge, 0)]));
  socket.write(Buffer.concat(streams.flatMap(send)));
  await gateway.queued(256);
  const cancelled = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
  const echo = Buffer.from('an echo.');
  socket.write(
    Buffer.concat([
      ...streams.map((stream) => frame(FRAME.rstStream, 0, stream, cancelled)),
      ...streams.flatMap((stream) => send(stream + 512)),
      frame(FRAME.ping, 0, 0, echo),
    ]),
  );
  await gateway.until(() => received.includes(echo) || socket.destroyed);
  expect(received.includes(echo)).toBe(true);
  socket.write(Buffer.concat(send(1_025)));
  await gateway.until(async () => (await gateway.metric('pilotlight_gateway_requests_queued')) > 0);
});

test('a preface that comes byte by byte does not come for ever', async () => {
  await serve();
  const socket = connect(gateway.ports.http, '127.0.0.1');
  const closed = once(socket.resume(), 'close');
  const { pending } = gateway.clock;
  await gateway.until(() => gateway.clock.pending > pending);
  for (const byte of 'PRI') {
    socket.write(byte);
    await gateway.clock.advance(10_000);
  }
  await closed;
});

test('a client of HTTP/1.1 that is refused and does not close makes room', async () => {
  await gateway.close();
  gateway = await GatewayFixture.start({ maxConnections: 1 });
  await serve();
  const socket = connect({ port: gateway.ports.http, host: '127.0.0.1', allowHalfOpen: true });
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write('this is not HTTP\r\n\r\n');
  await once(socket, 'end');
  expect(answer).toContain('400 Bad Request');
  await gateway.clock.advance(1_000);
  expect((await call(gateway.ports.http, { headers: { host: 'letters.default' } })).status).toBe(404);
  socket.destroy();
});

test('an answer of nothing but a status is taken back from a client that reads nothing', async () => {
  const pod = await stub((call, runtime) => {
    if (pod.count === 1) return;
    begin(call, runtime);
    call.stream.end(Buffer.alloc(20_000_000));
  });
  await serve(pod.port);
  const socket = connect(gateway.ports.http, '127.0.0.1');
  closing.push(() => socket.destroy());
  socket.on('error', () => undefined).pause();
  // Windows that no answer fills, so that only the connection itself is full, of a larger answer than the kernel takes for who does not read.
  socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0, Buffer.from('00047fffffff', 'hex'))]));
  socket.write(frame(FRAME.windowUpdate, 0, 0, Buffer.from('7fff0000', 'hex')));
  const send = (stream: number): void => {
    socket.write(Buffer.concat([head(stream, REQUEST), frame(FRAME.data, FLAG.endStream, stream, MESSAGE)]));
  };
  send(1);
  const first = await pod.received.next();
  send(3);
  const { stream: large } = await pod.received.next();
  let [left, turns] = [0, 0];
  await gateway.until(() => {
    turns = large.writableLength === left ? turns + 1 : 0;
    left = large.writableLength;
    return left > 0 && turns > 500;
  });
  first.stream.respond({ ...STATUS_ONLY }, { endStream: true });
  await gateway.inFlight(1);
  await gateway.clock.advance(60_000);
  await gateway.until(async () => (await gateway.metric('pilotlight_gateway_requests_total')) > 0);
});
