/** Clients that take and give as little as they can, and the pods that would wait for them. */
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { call } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { answerOk, type Behaviour, type StubRuntime } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await gateway.close();
});

/** One pod, which takes one request at a time. */
async function serve(behaviour: Behaviour): Promise<StubRuntime> {
  const pod = await gateway.runtime('a', behaviour);
  const queue = { maxRequests: 10, maxBytes: 1_000_000, timeoutSeconds: 3_600 };
  await gateway.leader([functionRoute({ concurrencyLimit: 1, queue, revisions: [revisionRoute([pod.route()])] })]);
  return pod;
}

function dial(): Socket {
  const socket = connect(gateway.ports.http, '127.0.0.1');
  socket.on('error', () => undefined);
  closing.push(() => socket.destroy());
  return socket;
}

/** Walks the clock while nothing else moves, until it is so. */
async function walkUntil(holds: () => boolean | Promise<boolean>): Promise<number> {
  const start = gateway.clock.monotonic();
  while (!(await holds())) {
    expect(gateway.clock.monotonic() - start).toBeLessThan(3_600_000);
    await gateway.clock.advance(1_000);
  }
  return gateway.clock.monotonic() - start;
}

const ended = async (): Promise<boolean> => (await gateway.metric('pilotlight_gateway_requests_total')) > 0;

test('thousands of connections that say nothing are closed after 20 s, and keep nobody waiting', async () => {
  const pod = await serve(answerOk);
  const { pending } = gateway.clock;
  const sockets: Socket[] = [];
  while (sockets.length < 2_000) {
    // The kernel keeps 511 until they are accepted.
    sockets.push(...Array.from({ length: 200 }, dial));
    await gateway.until(() => gateway.clock.pending === pending + sockets.length);
  }
  expect((await call(gateway.ports.http)).status).toBe(200);
  const closed = sockets.map((socket) => once(socket.resume(), 'close'));
  await gateway.clock.advance(20_000);
  await Promise.all(closed);
  expect(pod.count).toBe(1);
});

describe('a client that does not read a huge answer', () => {
  const SIZE = 512 * 1024 * 1024;
  let written = 0;
  /** As fast as it is taken. */
  const huge: Behaviour = ({ request, response }) => {
    request.resume();
    written = 0;
    const chunk = Buffer.alloc(256 * 1024);
    response.writeHead(200, { 'pilotlight-pod-uid': 'a', 'content-length': String(SIZE) });
    const more = (): void => {
      while (written < SIZE && !response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once('drain', more);
      }
    };
    more();
  };

  /** What the pod could write does not change any more. */
  async function stuck(): Promise<void> {
    let [last, turns] = [-1, 0];
    await gateway.until(() => {
      turns = written === last ? turns + 1 : 0;
      last = written;
      return written > 0 && turns > 500;
    });
  }

  const clients: [string, () => void][] = [
    [
      'HTTP/1.1',
      () => {
        dial().pause().write('GET / HTTP/1.1\r\nhost: digits.default\r\n\r\n');
      },
    ],
    [
      'HTTP/2',
      () => {
        const session: ClientHttp2Session = connectHttp2('http://gateway', { createConnection: dial });
        session.on('error', () => undefined);
        const stream = session.request({ ':path': '/', ':authority': 'digits.default' });
        stream.on('error', () => undefined).pause();
      },
    ],
  ];

  test.each(clients)('by %s keeps no more of it in memory than buffers on the way', async (_protocol, begin) => {
    await serve(huge);
    begin();
    await stuck();
    // The kernel's buffers of two connections, up to 6 MiB each way, and windows.
    expect(written).toBeLessThan(SIZE / 8);
  });

  test.each(clients)('by %s does not keep its pod for ever', async (_protocol, begin) => {
    const pod = await serve(huge);
    begin();
    await stuck();
    const waiting = call(gateway.ports.http);
    await gateway.queued(1);
    pod.behaviour = answerOk;
    expect(await walkUntil(ended)).toBeLessThan(130_000);
    expect(await walkUntil(async () => (await gateway.metric('pilotlight_gateway_requests_queued')) === 0)).toBe(0);
    expect((await waiting).status).toBe(200);
  });
});

describe('a client that gives its body byte by byte', () => {
  const head = (length: number): string =>
    `POST / HTTP/1.1\r\nhost: digits.default\r\ncontent-length: ${length}\r\n\r\n`;

  test('takes no pod while that is small, and is told after a minute', async () => {
    const pod = await serve(answerOk);
    const socket = dial();
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(head(1_000));
    await gateway.demandSeen();
    const trickle = (): boolean => {
      if (!socket.writableEnded) socket.write('x');
      return answer.includes('did not come in within 60 s');
    };
    expect(await walkUntil(trickle)).toBeLessThan(62_000);
    expect((await call(gateway.ports.http)).status).toBe(200);
    expect(pod.count).toBe(1);
  });

  test('by HTTP/2 neither', async () => {
    const pod = await serve(answerOk);
    const session = connectHttp2('http://gateway', { createConnection: dial });
    const stream = session.request({ ':method': 'POST', ':path': '/', ':authority': 'digits.default' });
    stream.on('error', () => undefined);
    let status: unknown;
    stream.on('response', (fields) => (status = fields[':status']));
    stream.write('x');
    await gateway.demandSeen();
    expect(await walkUntil(() => status !== undefined)).toBeLessThan(62_000);
    expect(status).toBe(400);
    expect(pod.count).toBe(0);
    session.destroy();
  });

  test('keeps the pod of a large one no longer than the pod itself allows', async () => {
    const pod = await serve(({ request, response }, { uid }) => {
      request.resume();
      pod.behaviour = answerOk;
      // As a runtime does when timeoutSeconds are over.
      gateway.clock.after(60_000, () => response.writeHead(408, { 'pilotlight-pod-uid': uid }).end('too slow'));
    });
    const socket = dial();
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.write(head(10_000_000));
    socket.write(Buffer.alloc(300 * 1024));
    await pod.received.next();
    const waiting = call(gateway.ports.http);
    await gateway.queued(1);
    const trickle = (): boolean => {
      if (!socket.destroyed) socket.write('x');
      return answer.includes('408');
    };
    expect(await walkUntil(trickle)).toBeLessThan(62_000);
    expect((await waiting).status).toBe(200);
  });

  test('does not keep a pod that says nothing, however long it goes on', async () => {
    const pod = await serve(({ request }) => {
      request.resume();
      pod.behaviour = answerOk;
    });
    const socket = dial().resume();
    socket.write(head(10_000_000));
    socket.write(Buffer.alloc(300 * 1024));
    await pod.received.next();
    const waiting = call(gateway.ports.http);
    await gateway.queued(1);
    const trickle = (): Promise<boolean> => {
      if (!socket.destroyed) socket.write('x');
      return ended();
    };
    // timeoutSeconds for the body, as long for the answer, and 2 s.
    expect(await walkUntil(trickle)).toBeLessThan(125_000);
    expect((await waiting).status).toBe(200);
  });
});
