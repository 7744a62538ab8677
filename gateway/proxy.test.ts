import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { answerTo, call, open, raw, responseTo } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import {
  answerOk,
  die,
  refuse,
  stall,
  type Behaviour,
  type StubRuntime,
  withoutAdmission,
} from './testing/stub-runtime.ts';

const MOST_BYTES = 32 * 1024 * 1024;
const LARGE = randomBytes(600 * 1024);

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start({ maxBodyBytes: MOST_BYTES });
});
afterEach(() => gateway.close());

/** Pods of the one revision, in the order in which the gateway tries them. */
async function pods(...behaviours: (Behaviour | undefined)[]): Promise<StubRuntime[]> {
  const runtimes: StubRuntime[] = [];
  for (const [index, behaviour] of behaviours.entries()) runtimes.push(await gateway.runtime(`pod${index}`, behaviour));
  await gateway.leader([functionRoute({ revisions: [revisionRoute(runtimes.map((one) => one.route()))] })]);
  gateway.random = () => 0;
  return runtimes;
}

/** Of the event loop: enough for everything on its way to arrive. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

function code(text: string): unknown {
  return (JSON.parse(text) as { code: unknown }).code;
}

describe('what a pod gets to see', () => {
  test('is the request with the contract’s headers, without what concerns the connection', async () => {
    await pods(undefined);
    const { text } = await call(gateway.ports.http, {
      path: '/v2/models/digits?x=1',
      headers: {
        'pilotlight-pod-uid': 'forged',
        'pilotlight-timeout-ms': '1',
        'pilotlight-anything': 'x',
        connection: 'close, x-hop',
        'x-hop': '1',
        te: 'trailers',
        expect: '100-continue',
        'x-forwarded-for': '10.0.0.1',
        'x-kept': 'yes',
      },
      body: 'hello',
    });
    expect(JSON.parse(text)).toEqual({
      pod: 'pod0',
      method: 'POST',
      url: '/v2/models/digits?x=1',
      bytes: 5,
      text: 'hello',
      headers: {
        host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        connection: 'keep-alive',
        'content-length': '5',
        'x-kept': 'yes',
        te: 'trailers',
        'x-forwarded-for': '10.0.0.1, 127.0.0.1',
        'x-forwarded-host': 'digits.default',
        'x-forwarded-proto': 'http',
        'pilotlight-pod-uid': 'pod0',
        'pilotlight-timeout-ms': '60000',
      },
    });
  });

  test('says how many requests the pod may have at once, where there is a limit', async () => {
    const runtime = await gateway.runtime('pod0');
    await gateway.leader([functionRoute({ concurrencyLimit: 3, revisions: [revisionRoute([runtime.route()])] })]);
    const { text } = await call(gateway.ports.http);
    expect(JSON.parse(text)).toMatchObject({ headers: { 'pilotlight-concurrency-limit': '3' } });
  });

  test.each(['GET', 'HEAD', 'DELETE', 'PUT', 'OPTIONS'])('has its method: %s', async (method) => {
    const [runtime] = await pods(undefined);
    expect((await call(gateway.ports.http, { method })).status).toBe(200);
    expect((await runtime?.received.next())?.request.method).toBe(method);
  });

  test('has its prefix stripped when the path names the function', async () => {
    await pods(undefined);
    const { text } = await call(gateway.ports.http, { host: 'gateway', path: '/functions/default/digits/v2?x' });
    expect(JSON.parse(text)).toMatchObject({ url: '/v2?x' });
  });

  test('is a large body as it was, declared or chunked', async () => {
    await pods(undefined);
    for (const headers of [{ 'content-length': String(LARGE.length) }, { 'transfer-encoding': 'chunked' }]) {
      const { text } = await call(gateway.ports.http, { body: LARGE, headers });
      expect(JSON.parse(text)).toMatchObject({ bytes: LARGE.length, headers });
    }
  });
});

describe('what a client gets to see', () => {
  test('is that its connection is kept for two minutes, longer than proxies and clients keep theirs', async () => {
    await pods(undefined);
    const request = open(gateway.ports.http, { headers: { connection: 'keep-alive' } });
    const answer = answerTo(request);
    request.end();
    expect((await answer).headers['keep-alive']).toBe('timeout=120');
  });

  test('is the pod’s own 429, 503 and 500 as they are', async () => {
    let status = 0;
    await pods(({ response }, runtime) => {
      response.writeHead(status, { 'pilotlight-pod-uid': runtime.uid, 'set-cookie': ['a=1', 'b=2'] }).end('own');
    });
    for (status of [429, 503, 500, 404]) {
      const answer = await call(gateway.ports.http);
      expect(answer).toMatchObject({ status, text: 'own' });
      expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    }
  });

  test('comes as the pod sends it', async () => {
    const [runtime] = await pods(stall);
    const request = open(gateway.ports.http);
    request.end();
    const arrived = responseTo(request);
    const received = await runtime?.received.next();
    received?.response.writeHead(200, { 'pilotlight-pod-uid': 'pod0', 'content-type': 'text/event-stream' });
    received?.response.write('data: one\n\n');
    const response = await arrived;
    expect(String(await once(response, 'data'))).toBe('data: one\n\n');
    received?.response.write('data: two\n\n');
    expect(String(await once(response, 'data'))).toBe('data: two\n\n');
    received?.response.end();
    await once(response, 'end');
  });

  test('is an answer that breaks off when the pod breaks off', async () => {
    const [runtime] = await pods(stall);
    const answer = call(gateway.ports.http);
    const received = await runtime?.received.next();
    received?.response.writeHead(200, { 'pilotlight-pod-uid': 'pod0', 'content-length': '10' });
    received?.response.write('five.');
    await gateway.until(() => received?.response.writableLength === 0);
    runtime?.breakConnections();
    await expect(answer).rejects.toThrow();
  });

  test('is 504 when the pod does not answer within timeoutSeconds', async () => {
    const [runtime] = await pods(stall);
    const answer = call(gateway.ports.http);
    await runtime?.received.next();
    await gateway.clock.advance(62_000);
    const { status, text } = await answer;
    expect(status).toBe(504);
    expect(JSON.parse(text)).toEqual({
      error: 'digits did not answer within 60 s (timeoutSeconds).',
      code: 'execution-timeout',
    });
    await gateway.inFlight(0);
  });

  test('is a stream of any length, as long as it moves', async () => {
    const [runtime] = await pods(stall);
    const request = open(gateway.ports.http);
    request.end();
    const arrived = responseTo(request);
    const received = await runtime?.received.next();
    received?.response.writeHead(200, { 'pilotlight-pod-uid': 'pod0' });
    received?.response.write('0');
    const response = await arrived;
    await once(response, 'data');
    for (let part = 1; part < 5; part += 1) {
      await gateway.clock.advance(50_000);
      received?.response.write(String(part));
      await once(response, 'data');
    }
    const broken = once(response, 'error');
    await gateway.clock.advance(62_000);
    expect(String(await broken)).toContain('aborted');
  });
});

describe('retries', () => {
  test.each([
    ['WrongPod', refuse('WrongPod', 'pod-of-somebody')],
    ['LimitReached', refuse('LimitReached')],
    ['Draining', refuse('Draining')],
    ['NotReady', refuse('NotReady')],
  ] as const)('a request that was not admitted (%s) goes elsewhere, as often as it takes', async (_, behaviour) => {
    const [, , last] = await pods(behaviour, behaviour, undefined);
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
    expect(last?.count).toBe(1);
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'not-begun' })).toBe(2);
  });

  test('a request that no pod admits waits in front of the queue and is tried again', async () => {
    const [runtime] = await pods(refuse('LimitReached'));
    const answer = call(gateway.ports.http);
    await runtime?.received.next();
    await gateway.queued(1);
    if (runtime !== undefined) runtime.behaviour = answerOk;
    await gateway.clock.advance(5);
    const { status, headers } = await answer;
    expect(status).toBe(200);
    // It waited for a slot, not for a pod.
    expect(headers).not.toHaveProperty('pilotlight-cold-start');
    expect(headers['server-timing']).toBe('queue;dur=5, pod;dur=0');
  });

  test('a request that no pod admits in time gets 503', async () => {
    const [runtime] = await pods(refuse('LimitReached'));
    const answer = call(gateway.ports.http);
    await runtime?.received.next();
    await gateway.queued(1);
    while ((await gateway.metric('pilotlight_gateway_errors_total', { code: 'no-pod-in-time' })) === 0) {
      await gateway.clock.advance(1_000);
    }
    expect((await answer).status).toBe(503);
  });

  test('a pod that cannot be reached is left alone, and the request goes elsewhere', async () => {
    const [gone, last] = await pods(undefined, undefined);
    await gone?.close();
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
    expect(last?.count).toBe(2);
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'not-begun' })).toBe(1);
  });

  test('a request whose pod dies is sent once more', async () => {
    const [, second] = await pods(die, undefined);
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
    expect(second?.count).toBe(1);
  });

  test('a request that meets a connection which its pod is closing is sent once more, on another', async () => {
    const closing: Behaviour = (received, runtime) => (runtime.count === 2 ? die : answerOk)(received, runtime);
    const [first, second] = await pods(closing, undefined);
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
    expect((await call(gateway.ports.http, { body: 'y' })).status).toBe(200);
    expect({ first: first?.count, second: second?.count }).toEqual({ first: 2, second: 1 });
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'died' })).toBe(1);
  });

  test('a request of which two pods died is kept from the third', async () => {
    const [, , third] = await pods(die, die, undefined);
    const { status, text } = await call(gateway.ports.http, { body: 'x' });
    expect({ status, code: code(text) }).toEqual({ status: 502, code: 'poison' });
    expect(third?.count).toBe(0);
  });

  test('an answer without the uid of the pod counts as none', async () => {
    const foreign: Behaviour = ({ response }) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    const [, second] = await pods(foreign, undefined);
    const { status, text } = await call(gateway.ports.http);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ pod: 'pod1' });
    expect(second?.count).toBe(1);
  });

  test('two strangers’ answers are a failure, not the request’s fault', async () => {
    const foreign: Behaviour = ({ response }) => response.writeHead(200, { 'pilotlight-pod-uid': 'x' }).end('no');
    await pods(foreign, foreign, undefined);
    const { status, text } = await call(gateway.ports.http);
    expect({ status, code: code(text) }).toEqual({ status: 502, code: 'pod-failed' });
  });

  test.each([
    ['declared', { 'content-length': String(LARGE.length) }],
    ['chunked', { 'transfer-encoding': 'chunked' }],
  ])('a large body that a pod does not admit goes elsewhere whole (%s)', async (_, headers) => {
    const [, , last] = await pods(refuse('Draining'), refuse('LimitReached'), undefined);
    const { text } = await call(gateway.ports.http, { body: LARGE, headers });
    expect(JSON.parse(text)).toMatchObject({ pod: 'pod2', bytes: LARGE.length });
    expect(last?.count).toBe(1);
  });

  test('a pod that does not say whether it admits a request gets its large body after a second', async () => {
    const [runtime] = await pods(withoutAdmission((received, own) => answerOk(received, own)));
    const answer = call(gateway.ports.http, { body: LARGE });
    await runtime?.received.next();
    await gateway.clock.advance(1_000);
    expect(JSON.parse((await answer).text)).toMatchObject({ bytes: LARGE.length });
  });

  test('a large body of which nothing was sent goes elsewhere whole', async () => {
    const [gone] = await pods(undefined, undefined);
    await gone?.close();
    const { text } = await call(gateway.ports.http, { body: LARGE });
    expect(JSON.parse(text)).toMatchObject({ pod: 'pod1', bytes: LARGE.length });
  });
});

describe('a client that leaves', () => {
  test('while a pod works on its request takes the request from the pod', async () => {
    const [runtime] = await pods(stall);
    const request = open(gateway.ports.http, { body: 'x' });
    request.on('error', () => undefined);
    request.end('x');
    const received = await runtime?.received.next();
    request.destroy();
    if (received !== undefined) await once(received.response, 'close');
    await gateway.inFlight(0);
    expect(await gateway.metric('pilotlight_gateway_requests_total', { outcome: 'aborted' })).toBe(1);
  });

  test('while its large body goes to a pod takes the request from the pod', async () => {
    const [runtime] = await pods(({ request }) => request.resume());
    const request = open(gateway.ports.http, { method: 'POST', headers: { 'content-length': String(LARGE.length) } });
    request.on('error', () => undefined);
    request.write(LARGE.subarray(0, 400 * 1024));
    const received = await runtime?.received.next();
    request.destroy();
    if (received !== undefined) await once(received.response, 'close');
    await gateway.inFlight(0);
  });

  test('before its whole body came never reaches a pod', async () => {
    const [runtime] = await pods(undefined);
    const request = open(gateway.ports.http, { method: 'POST', headers: { 'content-length': '100' } });
    request.on('error', () => undefined);
    request.write('half');
    await gateway.until(() => request.socket?.bytesWritten !== undefined && request.socket.bytesWritten > 0);
    request.destroy();
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect(runtime?.count).toBe(1);
  });

  test('its answers unread does not count as demand for ever', async () => {
    await pods(({ request, response }) => {
      request.resume();
      response.writeHead(200, { 'pilotlight-pod-uid': 'pod0' }).end(Buffer.alloc(32 * 1024));
    });
    const socket = connect(gateway.ports.http, '127.0.0.1');
    socket.pause();
    socket.on('error', () => undefined);
    // 28 MiB of answers: more than the kernel takes for a client that does not read.
    const requests = 900;
    socket.write('GET / HTTP/1.1\r\nhost: digits.default\r\n\r\n'.repeat(requests));
    const ended = (): Promise<number> => gateway.metric('pilotlight_gateway_requests_total');
    await gateway.until(async () => (await ended()) > 0);
    await turns(2_000);
    expect(await ended()).toBeLessThan(requests);
    await gateway.clock.advance(60_000);
    await gateway.until(async () => (await ended()) === requests);
    socket.destroy();
  });
});

describe('an answer that comes before the whole body', () => {
  const FIRST = 'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: 24000000\r\n\r\n';
  const early: Behaviour = ({ response }, { uid }) => {
    response.writeHead(400, { 'pilotlight-pod-uid': uid }).end('no');
  };

  test('does not keep the next request on the connection waiting', async () => {
    await pods(early);
    const socket = connect(gateway.ports.http, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.write(FIRST);
    socket.write(Buffer.alloc(24_000_000));
    socket.write('GET /next HTTP/1.1\r\nhost: digits.default\r\n\r\n');
    await gateway.until(() => text.split('HTTP/1.1 400').length === 3);
    socket.destroy();
  });

  test('ends the connection of a client that does not finish its body', async () => {
    await pods(early);
    const socket = connect(gateway.ports.http, '127.0.0.1');
    socket.resume();
    const closed = once(socket, 'close');
    socket.write(FIRST);
    socket.write(Buffer.alloc(300 * 1024));
    await gateway.until(async () => (await gateway.metric('pilotlight_gateway_requests_total')) === 1);
    await gateway.clock.advance(1_000);
    await closed;
  });
});

describe('back-pressure', () => {
  test('holds the client’s upload at the pace of the pod', async () => {
    const [runtime] = await pods(stall);
    const size = 24 * 1024 * 1024;
    const request = open(gateway.ports.http, { method: 'POST', headers: { 'content-length': String(size) } });
    const answer = answerTo(request);
    request.end(Buffer.alloc(size));
    const received = await runtime?.received.next();
    if (received === undefined) throw new Error('Nothing was received.');
    // The pod does not read, so after the buffers on the way are full the client cannot write.
    await turns(2_000);
    expect(request.socket?.writableLength).toBeGreaterThan(0);
    let bytes = 0;
    received.request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    await once(received.request, 'end');
    received.response.writeHead(200, { 'pilotlight-pod-uid': 'pod0' }).end(String(bytes));
    expect((await answer).text).toBe(String(size));
  });

  test('holds the pod’s answer at the pace of the client', async () => {
    const size = 64 * 1024 * 1024;
    let written = 0;
    const [runtime] = await pods(({ response }) => {
      response.writeHead(200, { 'pilotlight-pod-uid': 'pod0', 'content-length': String(size) });
      const chunk = Buffer.alloc(256 * 1024);
      const more = (): void => {
        while (written < size) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const request = open(gateway.ports.http);
    request.end();
    const response = await responseTo(request);
    response.pause();
    const received = await runtime?.received.next();
    // The pod is held back: buffers of kernel and gateway on the way are far smaller than the answer.
    await gateway.until(() => received?.response.writableNeedDrain === true);
    await turns(2_000);
    expect(written).toBeLessThan(size / 2);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(size);
  });
});

describe('requests that are not valid', () => {
  test('put no answer of their own into one that is on its way, on a connection with several requests', async () => {
    await pods(({ request, response }, { uid }) => {
      if (request.url === '/first') response.writeHead(200, { 'pilotlight-pod-uid': uid }).write('begun');
    });
    const broken = connect(gateway.ports.http, '127.0.0.1');
    let answer = '';
    broken.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    const closed = once(broken, 'close');
    for (const path of ['/first', '/second']) broken.write(`GET ${path} HTTP/1.1\r\nhost: digits.default\r\n\r\n`);
    await gateway.until(() => answer.includes('begun'));
    broken.write('this is not HTTP\r\n\r\n');
    await closed;
    expect(answer).not.toContain('400 Bad Request');
  });

  test.each([
    [
      'an unknown function',
      { host: 'nothing.default' },
      404,
      'There is no function \\"nothing\\" in namespace \\"default\\".',
    ],
    [
      'an unknown path',
      { host: 'x', path: '/functions/a/b/c' },
      404,
      'There is no function \\"b\\" in namespace \\"a\\".',
    ],
    ['a host of no function', { host: 'gateway:8080' }, 404, 'Host \\"gateway:8080\\" names no function'],
    ['a websocket', { headers: { connection: 'upgrade', upgrade: 'websocket' } }, 501, 'does not serve websockets'],
    ['a body over the limit', { body: Buffer.alloc(MOST_BYTES + 1) }, 413, 'larger than 33554432 bytes'],
    [
      'a chunked body over the limit',
      { body: Buffer.alloc(MOST_BYTES + 1), headers: { 'transfer-encoding': 'chunked' } },
      413,
      'larger than 33554432 bytes',
    ],
  ])('get an answer that says so: %s', async (_, options, status, message) => {
    await pods(undefined);
    const answer = await call(gateway.ports.http, options);
    expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.stringContaining(message) });
  });

  test('an offer of another protocol is ignored', async () => {
    await pods(undefined);
    const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' };
    expect((await call(gateway.ports.http, { headers })).status).toBe(200);
  });

  test.each([
    [
      'both length and encoding',
      'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\nabcd'],
    ['a length that is none', 'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: -4\r\n\r\nabcd'],
    ['no host', 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: digits.default\r\nhost: other.default\r\nconnection: close\r\n\r\n'],
    ['no HTTP', 'HELLO\r\n\r\n'],
    ['a target that is no path', 'GET digits HTTP/1.1\r\nhost: digits.default\r\nconnection: close\r\n\r\n'],
  ])('are refused with 400: %s', async (_, bytes) => {
    const [runtime] = await pods(undefined);
    expect(await raw(gateway.ports.http, bytes)).toMatch(/^HTTP\/1\.1 400 /);
    expect(runtime?.count).toBe(0);
  });

  test('a head that is too large is refused with 431', async () => {
    await pods(undefined);
    const bytes = `GET / HTTP/1.1\r\nhost: digits.default\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await raw(gateway.ports.http, bytes)).toMatch(/^HTTP\/1\.1 431 [^]*larger than 32768 bytes/);
  });

  test('bytes beyond a content-length that lies are not part of the request', async () => {
    const [runtime] = await pods(undefined);
    const bytes = 'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: 2\r\n\r\nabGARBAGE\r\n\r\n';
    expect(await raw(gateway.ports.http, bytes)).toContain('HTTP/1.1 400');
    for (const { request } of runtime?.received.all ?? []) expect(request.headers['content-length']).toBe('2');
  });

  test('a body that does not come in gets 400 after a minute, and the connection ends', async () => {
    const [runtime] = await pods(undefined);
    const answer = raw(gateway.ports.http, 'POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: 9\r\n\r\nhalf');
    await gateway.demandSeen();
    await gateway.clock.advance(61_000);
    expect(await answer).toMatch(/^HTTP\/1\.1 400 [^]*The body did not come in within 60 s/);
    expect(runtime?.count).toBe(0);
  });

  test('a target in absolute form names its host itself', async () => {
    await pods(undefined);
    const bytes = 'GET http://digits.default/v2 HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n';
    expect(await raw(gateway.ports.http, bytes)).toMatch(/^HTTP\/1\.1 200 [^]*"url":"\/v2"/);
  });
});

test('the external listener serves only what is External, and does not tell of the rest', async () => {
  const runtime = await gateway.runtime('a');
  const revisions = [revisionRoute([runtime.route()])];
  const operator = await gateway.leader([functionRoute({ revisions })]);
  const hidden = await call(gateway.ports.external);
  expect(hidden).toMatchObject({ status: 404, text: expect.stringContaining('There is no function') });
  operator.routes(2, [functionRoute({ revisions, visibility: 'External' })]);
  await gateway.tookEpoch(2);
  expect((await call(gateway.ports.external)).status).toBe(200);
  expect((await call(gateway.ports.http)).status).toBe(200);
});

test('traffic is split by percentage, and a tag reaches its revision whatever its share', async () => {
  const [one, two] = [await gateway.runtime('one'), await gateway.runtime('two')];
  await gateway.leader([
    functionRoute({
      revisions: [
        revisionRoute([one.route()], { name: 'digits-00001' }),
        revisionRoute([two.route()], { name: 'digits-00002' }),
      ],
      traffic: [
        { revision: 'digits-00001', percent: 90 },
        { revision: 'digits-00002', percent: 10, tag: 'canary' },
      ],
    }),
  ]);
  const revisionOf = async (random: number, host?: string): Promise<unknown> => {
    gateway.random = () => random;
    return (await call(gateway.ports.http, host === undefined ? {} : { host })).headers['pilotlight-revision'];
  };
  expect(await revisionOf(0.89)).toBe('digits-00001');
  expect(await revisionOf(0.9)).toBe('digits-00002');
  expect(await revisionOf(0, 'canary--digits.default')).toBe('digits-00002');
  expect((await call(gateway.ports.http, { host: 'none--digits.default' })).status).toBe(404);
});

test('an edit and a delete do not touch requests that pods have', async () => {
  const runtime = await gateway.runtime('a', stall);
  const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([runtime.route()])] })]);
  const answers = [call(gateway.ports.http), call(gateway.ports.http, { body: LARGE })];
  const received = [await runtime.received.next(), await runtime.received.next()];
  operator.routes(2, [functionRoute({ revisions: [revisionRoute([], { name: 'digits-00002' })] })]);
  await gateway.tookEpoch(2);
  operator.routes(3, []);
  await gateway.tookEpoch(3);
  for (const { request, response } of received) {
    request.resume();
    await once(request, 'end');
    response.writeHead(200, { 'pilotlight-pod-uid': 'a' }).end();
  }
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
});

test('a request whose pod dies after its revision was deleted goes to the next revision', async () => {
  const [first, second] = [await gateway.runtime('one', stall), await gateway.runtime('two')];
  const operator = await gateway.leader([functionRoute({ revisions: [revisionRoute([first.route()])] })]);
  const answer = call(gateway.ports.http, { body: 'x' });
  await first.received.next();
  operator.routes(2, [functionRoute({ revisions: [revisionRoute([second.route()], { name: 'digits-00002' })] })]);
  await gateway.tookEpoch(2);
  first.breakConnections();
  expect((await answer).headers['pilotlight-revision']).toBe('digits-00002');
});
