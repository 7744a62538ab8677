import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { StartError, type Model } from './inference.ts';
import { closeTestRuntimes, INFER, POD, testRuntime, type TestRuntime } from './runtime.fixture.ts';

afterEach(closeTestRuntimes);

/** Waits for what another part of the process will do in a later turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const GATEWAY = { 'pilotlight-pod-uid': POD.uid };

describe('admission', () => {
  test.each(['/v2', '/v2/models/digits', INFER, '/nothing'])('%s of another pod is refused', async (path) => {
    const { send } = await testRuntime();
    const { status, headers } = await send(path, {
      method: path === INFER ? 'POST' : 'GET',
      headers: { 'pilotlight-pod-uid': 'uid-2' },
    });
    expect(status).toBe(421);
    expect(headers['pilotlight-not-admitted']).toBe('WrongPod');
    expect(headers['pilotlight-pod-uid']).toBe(POD.uid);
  });

  test('listens, and refuses, while the model is still loading', async () => {
    const { promise, resolve } = Promise.withResolvers<Model>();
    const { infer, send, runtime, model } = await testRuntime({}, promise);
    const { status, headers, json } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'NotReady']);
    expect(json['error']).toBe('The model is still being loaded.');
    expect((await send('/v2/health/live')).status).toBe(200);
    expect((await send('/v2/health/ready')).json).toEqual({ ready: false });
    expect((await send('/v2/health/ready')).status).toBe(503);
    expect((await send('/v2/models/digits')).headers['pilotlight-not-admitted']).toBe('NotReady');
    expect((await send('/readyz', { port: runtime.ports.metrics })).status).toBe(503);
    resolve(model);
    await runtime.ready;
    expect((await infer()).status).toBe(200);
    expect((await send('/readyz', { port: runtime.ports.metrics })).status).toBe(200);
  });

  test('keeps to the limit that the gateway names', async () => {
    const { infer, model } = await testRuntime();
    model.hold();
    const headers = { ...GATEWAY, 'pilotlight-concurrency-limit': 1 };
    const first = infer({ headers });
    await until(() => model.load.running === 1);
    const { status, headers: refused } = await infer({ headers });
    expect([status, refused['pilotlight-not-admitted']]).toEqual([429, 'LimitReached']);
    model.release();
    expect((await first).status).toBe(200);
    expect((await infer({ headers })).status).toBe(200);
  });

  test('a client that leaves while it waits frees its place at once', async () => {
    const { infer, model, metrics } = await testRuntime();
    model.hold();
    const first = infer();
    await until(() => model.load.running === 1);
    const leaving = new AbortController();
    const second = infer({ signal: leaving.signal }).catch(() => 'left');
    await until(() => model.load.waiting === 1);
    leaving.abort();
    expect(await second).toBe('left');
    await until(() => model.load.waiting === 0);
    expect(await metrics()).toMatch(/requests_in_flight\S* 1/);
    model.release();
    expect((await first).status).toBe(200);
  });
});

describe('time', () => {
  const headers = { ...GATEWAY, 'pilotlight-timeout-ms': 500 };

  test('a run that is too long is answered 504 and keeps its place until it ends', async () => {
    const { infer, model, clock, fatal } = await testRuntime();
    model.hold();
    const answer = infer({ headers });
    await until(() => model.load.running === 1);
    await clock.advance(500);
    const { status, json } = await answer;
    expect([status, json['error']]).toEqual([504, 'The model took longer than 0.5 s.']);
    const limited = { ...GATEWAY, 'pilotlight-concurrency-limit': 1 };
    expect((await infer({ headers: limited })).status).toBe(429);
    model.release();
    await until(() => model.load.running === 0);
    expect((await infer({ headers: limited })).status).toBe(200);
    await clock.advance(500);
    expect(fatal).toEqual([]);
  });

  test('a run past twice its time is fatal', async () => {
    const { infer, model, clock, fatal } = await testRuntime();
    model.hold();
    const answer = infer({ headers });
    await until(() => model.load.running === 1);
    await clock.advance(999);
    expect(fatal).toEqual([]);
    await clock.advance(1);
    expect(fatal).toEqual(['A run went on for more than twice its 0.5 s.']);
    expect((await answer).status).toBe(504);
  });

  /** Of two sessions one hangs, 100 ms before twice its time, and the other has just begun a run. */
  async function withHungRun(): Promise<TestRuntime & { readonly other: ReturnType<TestRuntime['infer']> }> {
    const runtime = await testRuntime({}, undefined, 2);
    const { infer, model, clock } = runtime;
    model.hold();
    const hanging = infer({ headers });
    await until(() => model.load.running === 1);
    await clock.advance(900);
    expect((await hanging).status).toBe(504);
    const other = infer({ headers });
    await until(() => model.load.running === 2);
    return { ...runtime, other };
  }

  test('a run past twice its time cuts no run of another session, and nobody else is admitted meanwhile', async () => {
    const { infer, model, clock, fatal, other } = await withHungRun();
    await clock.advance(100);
    expect(fatal).toEqual([]);
    expect((await infer({ headers })).headers['pilotlight-not-admitted']).toBe('Draining');
    model.endLatest();
    expect((await other).status).toBe(200);
    await until(() => fatal.length > 0);
    expect(fatal).toEqual(['A run went on for more than twice its 0.5 s.']);
  });

  test('a run past twice its time waits for other sessions no longer than for an answer', async () => {
    const { clock, fatal, other } = await withHungRun();
    await clock.advance(499);
    expect(fatal).toEqual([]);
    await clock.advance(1);
    expect((await other).status).toBe(504);
    await until(() => fatal.length > 0);
    await clock.advance(500);
    expect(fatal.length).toBeGreaterThan(1);
  });

  test('the specification’s time holds for who calls directly', async () => {
    const { infer, model, clock } = await testRuntime();
    model.hold();
    const answer = infer({ headers: { 'pilotlight-timeout-ms': 1 } });
    await until(() => model.load.running === 1);
    await clock.advance(59_999);
    expect(model.load.running).toBe(1);
    await clock.advance(1);
    expect((await answer).status).toBe(504);
  });

  test('a model whose thread dies is fatal, and its requests get no answer', async () => {
    const { infer, model, fatal } = await testRuntime();
    model.hold();
    const answer = infer().catch((error: unknown) => (error as Error).message);
    await until(() => model.load.running === 1);
    model.failNext(new Error('The thread ended.'));
    model.fail(new Error('The thread ended.'));
    model.release();
    expect(await answer).toBe('socket hang up');
    expect(fatal).toEqual(['The thread ended.']);
  });
});

describe('the end', () => {
  const drain = (token = POD.drainToken): { method: string; headers: Record<string, string> } => ({
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });

  test('a drain if idle is refused while busy, and stops admission when not', async () => {
    const { infer, send, runtime, model } = await testRuntime();
    const port = runtime.ports.control ?? 0;
    model.hold();
    const busy = infer();
    await until(() => model.load.running === 1);
    const refused = await send('/v1/drain?ifIdle', { ...drain(), port });
    expect([refused.status, refused.json]).toEqual([409, { error: 'busy', inFlight: 1 }]);
    model.release();
    expect((await busy).headers.connection).toBe('close'); // The test's client asks for that.
    await until(() => model.load.running === 0);
    const accepted = await send('/v1/drain?ifIdle', { ...drain(), port });
    expect([accepted.status, accepted.json]).toEqual([200, { draining: true, inFlight: 0 }]);
    const { status, headers } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'Draining']);
    expect((await send('/v2/health/ready')).status).toBe(503);
    expect((await send('/v2/health/live')).status).toBe(200);
  });

  test('a drain lapses without a SIGTERM', async () => {
    const { infer, send, runtime, clock } = await testRuntime();
    await send('/v1/drain', { ...drain(), port: runtime.ports.control ?? 0 });
    expect((await infer()).status).toBe(503);
    await clock.advance(10_000);
    expect((await infer()).status).toBe(200);
  });

  test('a pod whose drain lapsed announces itself again', async () => {
    let announcements = 0;
    const gateway = createServer((request, response) => {
      announcements++;
      request.resume();
      response.writeHead(204).end();
    });
    gateway.listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    const { port } = gateway.address() as AddressInfo;
    const pod = { ...POD, gateways: [{ host: '127.0.0.1', port }] };
    const { send, runtime, clock } = await testRuntime({ pod });
    await until(() => announcements === 1);
    await send('/v1/drain', { ...drain(), port: runtime.ports.control ?? 0 });
    await clock.advance(10_000);
    await until(() => announcements === 2);
    gateway.close();
  });

  test.each<[about: string, path: string, request: object, status: number]>([
    ['without a token', '/v1/drain', { method: 'POST' }, 401],
    ['with another pod’s token', '/v1/drain', drain('other'), 401],
    ['with another verb', '/v1/drain', { ...drain(), method: 'GET' }, 405],
    ['at another path', '/v1/drains', drain(), 404],
  ])('a drain %s changes nothing', async (_about, path, request, status) => {
    const { infer, send, runtime } = await testRuntime();
    expect((await send(path, { ...request, port: runtime.ports.control ?? 0 })).status).toBe(status);
    expect((await infer()).status).toBe(200);
  });

  test('a connection is kept for two minutes, as the answer says, and so longer than a gateway keeps it', async () => {
    const { infer } = await testRuntime();
    expect((await infer({ headers: { connection: 'keep-alive' } })).headers['keep-alive']).toBe('timeout=120');
  });

  test('a close lets what is in flight end, refuses the rest, and ends idle connections', async () => {
    const { infer, runtime, model, clock } = await testRuntime();
    const idle = connect(runtime.ports.http, '127.0.0.1');
    await once(idle, 'connect');
    model.hold();
    const running = infer();
    await until(() => model.load.running === 1);
    const closed = runtime.close();
    const { status, headers } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'Draining']);
    expect(model.closed).toBe(false);
    model.release();
    const answer = await running;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await clock.advance(1_000);
    await closed;
    expect(model.closed).toBe(true);
    await once(idle, 'close');
  });

  test('a pod that ends unannounced answers for a second those who do not know it yet', async () => {
    const { infer, runtime, model, clock } = await testRuntime();
    const closed = runtime.close();
    await clock.advance(999);
    const { status, headers } = await infer();
    expect([status, headers['pilotlight-not-admitted'], headers.connection]).toEqual([503, 'Draining', 'close']);
    expect(model.closed).toBe(false);
    await clock.advance(1);
    await closed;
  });

  test('a pod that was drained before ends at once', async () => {
    const { send, runtime } = await testRuntime();
    await send('/v1/drain', { ...drain(), port: runtime.ports.control ?? 0 });
    await runtime.close();
  });

  test('a model that cannot be loaded fails the start, and the runtime can be closed', async () => {
    const failure = new StartError('ModelNotFound', 'There is nothing there.');
    const { runtime, infer } = await testRuntime({}, Promise.reject(failure));
    await expect(runtime.ready).rejects.toBe(failure);
    expect((await infer()).status).toBe(503);
  });

  test('a close while the model loads aborts the load', async () => {
    let aborted = false;
    const { runtime } = await testRuntime(
      {
        load: (_specification, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(signal.reason as Error);
            });
          }),
      },
      new Promise(() => undefined),
    );
    await runtime.close();
    expect(aborted).toBe(true);
    await expect(runtime.ready).rejects.toThrow('closed while its model was loading');
  });

  test('a port that is taken is a failure that names it', async () => {
    const { runtime } = await testRuntime();
    const port = runtime.ports.http;
    await expect(testRuntime({ ports: { http: port, grpc: 0, control: 0, metrics: 0 } })).rejects.toThrow(
      expect.objectContaining({
        reason: 'ConfigurationInvalid',
        message: expect.stringContaining(`HTTP port ${port} `),
      }),
    );
  });
});

test('without a pod there is no control port, and anybody is admitted', async () => {
  const { runtime, infer } = await testRuntime({ pod: undefined });
  expect(runtime.ports).not.toHaveProperty('control');
  const { status, headers } = await infer();
  expect(status).toBe(200);
  expect(headers).not.toHaveProperty('pilotlight-pod-uid');
});
