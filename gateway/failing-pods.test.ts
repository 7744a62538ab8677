/** Pods that are new, that hang, that answer with errors alone, or that die one after the other. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RESPONSE_HEADERS } from '../common/wire/headers.ts';
import type { PodRoute } from '../common/wire/routes.ts';
import { answerTo, call, open, type Answer } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { GrpcClient } from './testing/grpc-client.ts';
import { StubGrpcRuntime } from './testing/stub-grpc-runtime.ts';
import { answerOk, stall, type Behaviour, type Received, type StubRuntime } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

async function routeTo(...behaviours: Behaviour[]): Promise<StubRuntime[]> {
  const runtimes: StubRuntime[] = [];
  for (const [at, behaviour] of behaviours.entries()) runtimes.push(await gateway.runtime(`pod${at}`, behaviour));
  await gateway.leader([functionRoute({ revisions: [revisionRoute(runtimes.map((one) => one.route()))] })]);
  return runtimes;
}

const fail: Behaviour = ({ response }, runtime) => {
  response.writeHead(500, { [RESPONSE_HEADERS.podUid]: runtime.uid }).end();
};

const send = (): Promise<Answer> => call(gateway.ports.http, { body: 'x' });

async function statuses(count: number): Promise<number[]> {
  const all: number[] = [];
  for (let at = 0; at < count; at += 1) all.push((await send()).status);
  return all;
}

test('a pod that hangs is left alone for 5 s, and then asked by one request', async () => {
  const [hung, well] = (await routeTo(stall, answerOk)) as [StubRuntime, StubRuntime];
  gateway.random = () => 0;
  const first = send();
  await hung.received.next(() => true);
  await gateway.clock.advance(62_000);
  expect((await first).status).toBe(504);
  expect(await statuses(10)).toEqual(Array(10).fill(200));
  expect([hung.count, well.count]).toEqual([1, 10]);
  await gateway.clock.advance(5_000);
  hung.behaviour = answerOk;
  expect(await statuses(1)).toEqual([200]);
  expect(hung.count).toBe(2);
});

describe('a pod whose node vanishes', () => {
  const TIMEOUT_SECONDS = 3_600;

  /** Walks the clock, with time for connections to be refused in between, until the request is over, which it is before it is out of time. */
  async function outlast<Value>(request: Promise<Value>): Promise<Value> {
    const progress = { isDone: false };
    void request.catch(() => undefined).finally(() => (progress.isDone = true));
    const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while (!progress.isDone) {
      expect(gateway.clock.monotonic()).toBeLessThan(TIMEOUT_SECONDS * 1_000);
      await gateway.clock.advance(5_000);
      for (let turn = 0; turn < 20; turn += 1) await nextTurn();
    }
    return request;
  }

  async function route(pods: readonly PodRoute[]): Promise<void> {
    await gateway.leader([functionRoute({ timeoutSeconds: TIMEOUT_SECONDS, revisions: [revisionRoute(pods)] })]);
    gateway.random = () => 0;
  }

  test('loses the requests that it has to another one, long before they are out of time', async () => {
    const [gone, well] = [await gateway.runtime('gone', stall), await gateway.runtime('well')];
    await route([gone.route(), well.route()]);
    const answer = send();
    await gone.received.next();
    gone.vanish();
    expect(await outlast(answer)).toMatchObject({ status: 200, text: expect.stringContaining('"pod":"well"') });
    expect(await gateway.metric('pilotlight_gateway_retries_total', { reason: 'died' })).toBe(1);
  });

  test('ends an answer that it had begun', async () => {
    const gone = await gateway.runtime('gone', ({ response }) => {
      response.writeHead(200, { [RESPONSE_HEADERS.podUid]: 'gone' }).write('half');
    });
    await route([gone.route()]);
    const request = open(gateway.ports.http);
    const answer = answerTo(request);
    request.end();
    await once(request, 'response');
    gone.vanish();
    await expect(outlast(answer)).rejects.toThrow('aborted');
  });

  test('loses calls of gRPC too, and the connection that they shared', async () => {
    const [gone, well] = [await gateway.runtime('gone'), await gateway.runtime('well')];
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined).resume()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const grpc = await StubGrpcRuntime.start('well');
    const withGrpc = (pod: PodRoute, at: number): PodRoute => ({ ...pod, ports: { ...pod.ports, grpc: at } });
    await route([withGrpc(gone.route(), port), withGrpc(well.route(), grpc.port)]);
    const client = new GrpcClient(gateway.ports.http);
    const reply = client.call('x');
    await once(silent, 'connection');
    silent.close();
    expect((await outlast(reply)).message).toBe('x');
    await gateway.until(() => sockets.every(({ destroyed }) => destroyed));
    client.close();
    await grpc.close();
  });

  test('is not taken for gone while it works and can be connected to', async () => {
    const [busy] = (await routeTo(stall)) as [StubRuntime];
    const answer = send();
    const received = await busy.received.next();
    await gateway.clock.advance(55_000);
    answerOk(received, busy);
    expect((await answer).status).toBe(200);
    expect(busy.count).toBe(1);
  });
});

describe('a pod that answers 500', () => {
  test('five times in a row is spared for a second, in which the other gets all', async () => {
    const [failing, well] = (await routeTo(fail, answerOk)) as [StubRuntime, StubRuntime];
    gateway.random = () => 0;
    expect(await statuses(5)).toEqual(Array(5).fill(500));
    expect(await statuses(10)).toEqual(Array(10).fill(200));
    expect([failing.count, well.count]).toEqual([5, 10]);
    await gateway.clock.advance(1_000);
    expect(await statuses(2)).toEqual([500, 200]);
    await gateway.clock.advance(1_000);
    expect(await statuses(1)).toEqual([200]);
    await gateway.clock.advance(1_000);
    failing.behaviour = answerOk;
    expect(await statuses(7)).toEqual(Array(7).fill(200));
    expect(failing.count).toBe(13);
  });

  test('now and then is not', async () => {
    let count = 0;
    const [flaky, well] = (await routeTo((received, runtime) => {
      count += 1;
      (count % 5 === 0 ? answerOk : fail)(received, runtime);
    }, answerOk)) as [StubRuntime, StubRuntime];
    gateway.random = () => 0;
    await statuses(20);
    expect([flaky.count, well.count]).toEqual([20, 0]);
  });

  test('serves on where all do, for an error tells more than a wait', async () => {
    await routeTo(fail, fail);
    expect(await statuses(20)).toEqual(Array(20).fill(500));
  });
});

test('a new pod gets 32 requests at once, one more with each answer, and twice as many each second', async () => {
  const received: Received[] = [];
  const [pod] = (await routeTo((one) => received.push(one))) as [StubRuntime];
  const answers = Array.from({ length: 80 }, send);
  await gateway.queued(48);
  expect(pod.count).toBe(32);
  answerOk(received[0]!, pod);
  await gateway.queued(46);
  await gateway.clock.advance(1_000);
  await gateway.queued(13);
  await gateway.clock.advance(1_000);
  await gateway.queued(0);
  await gateway.until(() => received.length === 80);
  for (const one of received.slice(1)) answerOk(one, pod);
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array(80).fill(200));
});

test('a second pod takes what a new one has no room for yet', async () => {
  const [first] = (await routeTo(stall)) as [StubRuntime];
  const answers = Array.from({ length: 40 }, send);
  await gateway.queued(8);
  const second = await gateway.runtime('second');
  await gateway.announce(second);
  await gateway.until(() => second.count === 8);
  expect(first.count).toBe(32);
  first.breakConnections();
  await Promise.all(answers);
});

test('where pods die under every request, a fifth of the requests is sent again, beyond what one pod can have had', async () => {
  await gateway.close();
  gateway = await GatewayFixture.start({ mostRetries: 3 });
  const tried = new Set<unknown>();
  const [pod] = (await routeTo((received, runtime) => {
    const { request } = received;
    if (tried.has(request.headers['x-id'])) return answerOk(received, runtime);
    tried.add(request.headers['x-id']);
    request.socket.resetAndDestroy();
  })) as [StubRuntime];
  const outcomes: unknown[] = [];
  for (let at = 0; at < 5; at += 1) {
    const before = pod.count;
    const progress = { isDone: false };
    const answer = call(gateway.ports.http, { headers: { 'x-id': String(at) } }).finally(
      () => (progress.isDone = true),
    );
    // The pod is left alone for a while after each death.
    while (!progress.isDone) await gateway.clock.advance(1_000);
    outcomes.push([(await answer).status, pod.count - before]);
  }
  // Three, less what each costs beyond the fifth of one that it brings: 3, 2.2, 1.4, 0.6, 0.8.
  expect(outcomes).toEqual([
    [200, 2],
    [200, 2],
    [200, 2],
    [502, 1],
    [502, 1],
  ]);
});
