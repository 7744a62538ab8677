import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { FLAG, FRAME, frame, headerBlock, PREFACE } from '../common/wire/http2-frames.fixture.ts';
import type { GatewayConfiguration } from './configuration.ts';
import { answerOk } from './testing/stub-runtime.ts';
import { call as callHttp, open } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { GrpcClient } from './testing/grpc-client.ts';
import { begin, die, fail, refuse, stall, StubGrpcRuntime, type GrpcBehaviour } from './testing/stub-grpc-runtime.ts';

let gateway: GatewayFixture;
const closing: (() => unknown)[] = [];

async function start(configuration: Partial<GatewayConfiguration> = {}): Promise<void> {
  gateway = await GatewayFixture.start(configuration);
}

beforeEach(() => start());

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await gateway.close();
});

function client(authority?: string): GrpcClient {
  const made = new GrpcClient(gateway.ports.http, authority);
  closing.push(() => made.close());
  return made;
}

function session(): ClientHttp2Session {
  const made = connectHttp2(`http://127.0.0.1:${gateway.ports.http}`);
  made.on('error', () => undefined);
  closing.push(() => made.destroy());
  return made;
}

async function stub(uid: string, behaviour?: GrpcBehaviour): Promise<StubGrpcRuntime> {
  const runtime = await StubGrpcRuntime.start(uid, behaviour);
  closing.push(() => runtime.close());
  return runtime;
}

/** A function whose pods have these gRPC ports. */
async function serve(pods: readonly StubGrpcRuntime[], given: Parameters<typeof functionRoute>[0] = {}): Promise<void> {
  const routes = pods.map(({ uid, port }) => ({
    name: `pod-${uid}`,
    uid,
    state: 'Ready' as const,
    host: '127.0.0.1',
    ports: { http: 1, grpc: port, control: 1 },
  }));
  await gateway.leader([functionRoute({ revisions: [revisionRoute(routes)], ...given })]);
}

const PATH = '/inference.GRPCInferenceService/ModelInfer';
const GRPC = {
  ':method': 'POST',
  ':path': PATH,
  ':authority': 'digits.default',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const message = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);

describe('a call', () => {
  test('goes to the pod that :authority names and back, with metadata, trailers and status', async () => {
    const pod = await stub('a', (call, runtime) => {
      begin(call, runtime, { 'grpc-status': '0', 'x-cost': '7' });
      call.stream.pipe(call.stream);
    });
    await serve([pod]);
    const reply = await client().call('hello', { metadata: { 'x-trace': 't', 'pilotlight-pod-uid': 'forged' } });
    expect(reply).toMatchObject({ message: 'hello', error: undefined });
    expect(reply.trailers.get('x-cost')).toEqual(['7']);
    expect(reply.headers.get('pilotlight-revision')).toEqual(['digits-00001']);
    expect(reply.headers.get('pilotlight-pod-uid')).toEqual([]);
    const [{ headers } = { headers: {} }] = pod.received.all;
    expect(headers).toMatchObject({
      ':path': PATH,
      te: 'trailers',
      'x-trace': 't',
      'content-length': '10',
      'pilotlight-pod-uid': 'a',
      'pilotlight-timeout-ms': '60000',
      'x-forwarded-host': 'digits.default',
    });
  });

  test.each(['digits.default:8080', 'digits.default.svc.cluster.local'])(
    'is routed by the authority %s',
    async (authority) => {
      await serve([await stub('a')]);
      expect((await client(authority).call('x')).message).toBe('x');
    },
  );

  test('is routed by its path too', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const reply = await client('gateway').call('x', { method: `/functions/default/digits${PATH}` });
    expect(reply.message).toBe('x');
    expect(pod.received.all[0]?.headers[':path']).toBe(PATH);
  });

  test('has the pod’s own status and sentence, also where the pod answered without a message', async () => {
    await serve([await stub('a', fail(3, 'no%20such input'))]);
    const { error } = await client().call('x');
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, details: 'no such input' });
    expect(await gateway.metric('pilotlight_gateway_requests_total', { outcome: '4xx' })).toBe(1);
  });

  test('shares one connection to the pod with others', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const caller = client();
    await Promise.all(Array.from({ length: 20 }, (_, number) => caller.call(String(number))));
    expect({ calls: pod.count, connections: pod.connections }).toEqual({ calls: 20, connections: 1 });
  });

  test('leaves a connection to the pod for the next four seconds, and no longer', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const caller = client();
    const timers = gateway.clock.pending;
    // That of the client's connection, and that of the pod's.
    const areIdle = (): Promise<void> => gateway.until(() => gateway.clock.pending === timers + 2);
    await caller.call('x');
    await areIdle();
    await gateway.clock.advance(3_999);
    await caller.call('y');
    expect(pod.connections).toBe(1);
    await areIdle();
    await gateway.clock.advance(4_000);
    await gateway.until(() => pod.sessions.size === 0);
    await caller.call('z');
    expect(pod.connections).toBe(2);
  });

  test('with a large message goes through as it comes', async () => {
    await serve([await stub('a')]);
    const large = Buffer.alloc(3_000_000, 'x');
    expect((await client().call(large)).message?.length).toBe(large.length);
  });
});

describe('errors of the gateway are statuses, not JSON:', () => {
  test('an unknown function', async () => {
    await serve([]);
    const { error } = await client('letters.default').call('x');
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: expect.stringContaining('letters') });
  });

  test('also before the client has said all that it wants to', async () => {
    await serve([]);
    const one = session();
    for (let round = 0; round < 20; round += 1) {
      const stream = one.request({ ...GRPC, ':authority': 'letters.default' });
      stream.on('error', () => undefined);
      stream.write(message('x'));
      let trailers: Record<string, unknown> = {};
      stream.on('trailers', (received) => {
        trailers = received as Record<string, unknown>;
      });
      stream.resume();
      await new Promise((resolve) => stream.once('close', resolve));
      expect(trailers['grpc-status']).toBe('5');
    }
  });

  test('a full queue', async () => {
    await serve([], { queue: { maxRequests: 1, maxBytes: 1_000, timeoutSeconds: 60 } });
    const caller = client();
    const held = caller.call('x');
    await gateway.queued(1);
    expect((await caller.call('y')).error).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('queue.maxRequests'),
    });
    await gateway.clock.advance(60_000);
    expect((await held).error).toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining('queue.timeoutSeconds'),
    });
  });

  test('a pod that does not answer in time', async () => {
    await serve([await stub('a', stall)]);
    const answer = client().call('x');
    await gateway.inFlight(1);
    await gateway.clock.advance(62_000);
    expect((await answer).error).toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  test('pods that do not speak gRPC', async () => {
    const http = await gateway.runtime('a');
    await gateway.leader([functionRoute({ revisions: [revisionRoute([http.route()])] })]);
    expect((await client().call('x')).error).toMatchObject({ code: status.UNIMPLEMENTED });
    expect((await callHttp(gateway.ports.http)).status).toBe(200);
  });
});

describe('a call at zero', () => {
  test('is demand, waits, and goes to the pod that announces itself', async () => {
    await serve([]);
    const answer = client().call('x');
    await gateway.queued(1);
    await gateway.demandSeen();
    const [http, pod] = [await gateway.runtime('a'), await stub('a')];
    await gateway.announce(http, { ports: { ...http.ports, grpc: pod.port } });
    const reply = await answer;
    expect(reply.message).toBe('x');
    expect(reply.headers.get('pilotlight-cold-start')).toHaveLength(1);
  });

  test('leaves its place when its client cancels', async () => {
    await serve([]);
    const answer = client().call('x', {
      begun: (call) => void gateway.queued(1).then(() => call.cancel()),
    });
    expect((await answer).error?.code).toBe(status.CANCELLED);
    await gateway.queued(0);
  });

  test('has as much less time as it waited', async () => {
    await serve([]);
    const stream = session().request({ ...GRPC, 'grpc-timeout': '20S' });
    stream.on('error', () => undefined);
    stream.end(message('x'));
    await gateway.queued(1);
    await gateway.clock.advance(5_000);
    const [http, pod] = [await gateway.runtime('a'), await stub('a')];
    await gateway.announce(http, { ports: { ...http.ports, grpc: pod.port } });
    expect((await pod.received.next()).headers['grpc-timeout']).toBe('15000m');
  });
});

describe('a call that its pod', () => {
  test.each(['NotReady', 'Draining', 'LimitReached', 'WrongPod'] as const)(
    'does not admit (%s) goes elsewhere',
    async (reason) => {
      const pods = [await stub('a', refuse(reason)), await stub('b')];
      await serve(pods);
      gateway.random = () => 0;
      const replies = await Promise.all(Array.from({ length: 4 }, () => client().call('x')));
      expect(replies.map(({ message: text }) => text)).toEqual(['x', 'x', 'x', 'x']);
    },
  );

  test('died of is sent once more, and to no third pod', async () => {
    await serve([await stub('a', die), await stub('b', die), await stub('c', die)]);
    const { error } = await client().call('x');
    expect(error).toMatchObject({ code: status.INTERNAL, details: expect.stringContaining('not sent to a third') });
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'died' })).toBe(1);
  });

  test('refuses with its connection goes elsewhere as one that was not begun', async () => {
    const refusing = await stub('a', ({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    await serve([refusing, await stub('b')]);
    const replies = await Promise.all(Array.from({ length: 4 }, () => client().call('x')));
    expect(replies.map(({ message: text }) => text)).toEqual(['x', 'x', 'x', 'x']);
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'died' })).toBe(0);
  });

  test('answers as a stranger is not believed', async () => {
    const answer: GrpcBehaviour = ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' }, { endStream: true });
    };
    const [stranger, other] = [await stub('a', answer), await stub('b', answer)];
    await serve([stranger, other]);
    expect((await client().call('x')).error).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('cannot be connected to waits for one that can', async () => {
    const gone = await stub('a');
    await gone.close();
    await serve([gone]);
    const answer = client().call('x');
    await gateway.queued(1);
    const [http, pod] = [await gateway.runtime('b'), await stub('b')];
    await gateway.announce(http, { ports: { ...http.ports, grpc: pod.port } });
    expect((await answer).message).toBe('x');
  });

  test('takes no more on this connection goes to it on another', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const caller = client();
    await caller.call('x');
    for (const each of pod.sessions) each.close();
    await gateway.until(() => pod.sessions.size === 0);
    expect((await caller.call('y')).message).toBe('y');
    expect(pod.connections).toBe(2);
  });
});

describe('a stream', () => {
  test('is a conversation, and demand for as long as it is open', async () => {
    await serve([await stub('a')]);
    const stream = client().stream();
    for (const text of ['one', 'two', 'three']) {
      stream.write(Buffer.from(text));
      expect(String((await once(stream, 'data'))[0])).toBe(text);
    }
    await gateway.inFlight(1);
    const ended = new Promise<{ code: number }>((resolve) => stream.once('status', resolve));
    stream.end();
    stream.resume();
    expect((await ended).code).toBe(status.OK);
    await gateway.inFlight(0);
  });

  test('that its client opens in silence reaches the pod a second later', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const stream = client().stream();
    await gateway.demandSeen();
    await gateway.clock.advance(1_000);
    await pod.received.next();
    stream.write(Buffer.from('late'));
    expect(String((await once(stream, 'data'))[0])).toBe('late');
    stream.cancel();
  });

  test('is ended at the pod when its client cancels, and at the client when its pod breaks off', async () => {
    const pod = await stub('a');
    await serve([pod]);
    const first = client().stream();
    first.write(Buffer.from('x'));
    const { stream } = await pod.received.next();
    await once(first, 'data');
    first.cancel();
    await once(stream, 'close');
    await gateway.inFlight(0);
    const second = client().stream();
    const ended = new Promise((resolve) => second.once('status', resolve));
    second.write(Buffer.from('x'));
    await once(second, 'data');
    pod.breakConnections();
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('in the middle') });
  });

  test('may send more in all than one body may have', async () => {
    await gateway.close();
    await start({ maxBodyBytes: 1_000 });
    await serve([await stub('a')]);
    const stream = client().stream();
    for (let round = 0; round < 5; round += 1) {
      stream.write(Buffer.alloc(900));
      await once(stream, 'data');
    }
    stream.cancel();
  });

  test('goes at the pace of a client that does not read', async () => {
    let sent = 0;
    const pod = await stub('a', (call, runtime) => {
      begin(call, runtime);
      const fill = (): void => {
        while (sent < 64_000_000) {
          sent += 100_000;
          if (!call.stream.write(Buffer.alloc(100_000))) return void call.stream.once('drain', fill);
        }
      };
      fill();
    });
    await serve([pod]);
    const stream = session().request(GRPC);
    stream.on('error', () => undefined);
    stream.end(message('x'));
    await once(stream, 'response');
    let before = -1;
    // Nothing is read; what is sent comes to a stand when every buffer on the way is full.
    while (before !== sent) {
      before = sent;
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    }
    expect(sent).toBeLessThan(8_000_000);
    stream.close();
  });
});

describe('HTTP/2 without gRPC', () => {
  test('reaches the pod’s HTTP port as HTTP/1.1 does', async () => {
    const http = await gateway.runtime('a', answerOk);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([http.route()])] })]);
    const one = session();
    for (const body of [undefined, 'x', 'x'.repeat(500_000)]) {
      const stream = one.request(
        { ':method': body === undefined ? 'GET' : 'POST', ':path': '/v2?q', ':authority': 'digits.default' },
        { endStream: body === undefined },
      );
      if (body !== undefined) stream.end(body);
      const { headers, text } = await answerOf(stream);
      expect(headers[':status']).toBe(200);
      expect(headers['pilotlight-revision']).toBe('digits-00001');
      expect(JSON.parse(text)).toMatchObject({ url: '/v2?q', bytes: body?.length ?? 0 });
    }
  });

  test('gets errors as JSON', async () => {
    await serve([]);
    const stream = session().request({ ':path': '/', ':authority': 'letters.default' });
    const { headers, text } = await answerOf(stream);
    expect(headers[':status']).toBe(404);
    expect(JSON.parse(text)).toMatchObject({ code: 'unknown-function' });
  });

  test('a body over the limit is refused, and the stream ended', async () => {
    await gateway.close();
    await start({ maxBodyBytes: 1_000 });
    await serve([]);
    const stream = session().request({ ':method': 'POST', ':path': '/', ':authority': 'digits.default' });
    stream.on('error', () => undefined);
    stream.write('x'.repeat(2_000));
    const { headers } = await answerOf(stream);
    expect(headers[':status']).toBe(413);
    await gateway.until(() => stream.destroyed);
  });

  test('two different hosts in one request are refused', async () => {
    await serve([]);
    const stream = session().request({ ':path': '/', ':authority': 'digits.default', host: 'letters.default' });
    expect((await answerOf(stream)).headers[':status']).toBe(400);
  });

  test('a client that asks first is told to go on', async () => {
    const http = await gateway.runtime('a', answerOk);
    await gateway.leader([functionRoute({ revisions: [revisionRoute([http.route()])] })]);
    const stream = session().request({
      ':method': 'POST',
      ':path': '/',
      ':authority': 'digits.default',
      expect: '100-continue',
    });
    await once(stream, 'continue');
    stream.end('x');
    expect((await answerOf(stream)).headers[':status']).toBe(200);
  });
});

describe('bounds', () => {
  test('a preface that comes byte by byte is understood, and HTTP/1.1 that begins like it too', async () => {
    await serve([]);
    const socket = connect(gateway.ports.http, '127.0.0.1');
    for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n') {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    const [settings] = (await once(socket, 'data')) as [Buffer];
    expect(settings[3]).toBe(4);
    socket.destroy();
    const almost = connect(gateway.ports.http, '127.0.0.1');
    almost.write('P');
    await new Promise(setImmediate);
    almost.write('OST / HTTP/1.1\r\nhost: letters.default\r\ncontent-length: 0\r\n\r\n');
    expect(String((await once(almost, 'data'))[0])).toContain('404 Not Found');
    almost.destroy();
  });

  test('a connection without a request ends after two minutes', async () => {
    await serve([await stub('a')]);
    const idle = session();
    await once(idle, 'connect');
    await once(idle, 'remoteSettings');
    const closed = once(idle, 'close');
    await gateway.clock.advance(120_000);
    await closed;
  });

  test('a head that is too large is no request', async () => {
    await serve([await stub('a')]);
    const one = session();
    // The first comes before the client knows the limit, the second after.
    const early = one.request({ ...GRPC, 'x-large': 'x'.repeat(40_000) }, { endStream: true });
    const [headers] = (await once(early, 'response')) as [Record<string, unknown>];
    expect(headers['grpc-message']).toBeUndefined();
    const [trailers] = (await once(early.resume(), 'trailers')) as [Record<string, unknown>];
    expect(trailers).toMatchObject({
      'grpc-status': '3',
      'grpc-message': expect.stringContaining('larger than 32768'),
    });
    const late = one.request({ ...GRPC, 'x-large': 'x'.repeat(40_000) }, { endStream: true });
    late.on('error', () => undefined);
    await new Promise((resolve) => late.once('close', resolve));
    expect(late.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    expect((await client().call('x')).message).toBe('x');
  });

  test('a head that no pod would take is the client’s mistake, and costs the pod nothing', async () => {
    await serve([await stub('a')]);
    const socket = connect(gateway.ports.http, '127.0.0.1');
    socket.write(rawRequest([...Object.entries(GRPC), [':scheme', 'http'], ['user-agent', 'a'], ['user-agent', 'b']]));
    await gateway.until(
      async () => (await gateway.metric('pilotlight_gateway_errors_total', { code: 'bad-request' })) === 1,
    );
    expect((await client().call('x')).message).toBe('x');
    socket.destroy();
  });

  test('more requests than all connections may have are refused as not begun', async () => {
    await gateway.close();
    await start({ maxConnections: 2 });
    await serve([await stub('a', stall)]);
    const one = session();
    const streams = Array.from({ length: 3 }, () => {
      const stream = one.request(GRPC);
      stream.on('error', () => undefined);
      stream.end(message('x'));
      return stream;
    });
    const last = streams.at(-1);
    await new Promise((resolve) => last?.once('close', resolve));
    expect(last?.rstCode).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await gateway.inFlight(2);
  });
});

test('a gateway that ends tells clients to go elsewhere, and lets calls end', async () => {
  const pod = await stub('a');
  await serve([pod]);
  const one = session();
  const goaway = once(one, 'goaway');
  const stream = one.request(GRPC);
  stream.write(message('x'));
  await once(stream, 'response');
  void gateway.beginToClose();
  await gateway.clock.advance(5_000);
  await goaway;
  stream.end(message('y'));
  const { text } = await answerOf(stream);
  expect(text).toContain('x');
  expect(text).toContain('y');
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

test('HTTP/1.1 with several requests on a connection is served beside it', async () => {
  const http = await gateway.runtime('a', answerOk);
  await gateway.leader([functionRoute({ revisions: [revisionRoute([http.route()])] })]);
  const request = open(gateway.ports.http);
  request.end();
  await once(request, 'response');
  expect((await callHttp(gateway.ports.http, { body: 'x' })).status).toBe(200);
});

/** What Node's own client would not send: a connection's begin and a head of literal fields, without a body. */
function rawRequest(fields: readonly (readonly [string, string])[]): Buffer {
  const pseudoFirst = [...fields].sort(([a], [b]) => Number(b.startsWith(':')) - Number(a.startsWith(':')));
  const head = frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, headerBlock(pseudoFirst));
  return Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), head]);
}

async function answerOf(stream: ClientHttp2Stream): Promise<{ headers: Record<string, unknown>; text: string }> {
  let headers: Record<string, unknown> = {};
  stream.on('response', (received) => {
    headers = received;
  });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => stream.once('end', resolve));
  return { headers, text: Buffer.concat(chunks).toString() };
}
