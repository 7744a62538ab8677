import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import { createLogger } from '../../../common/platform/logging.ts';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { SECRETS, type Secret } from '../resources.ts';
import { answer, startFakeApiServer, type FakeApiServer, type Handler } from './testing/fake-api-server.ts';
import { kubernetesCluster, type KubernetesCluster } from './kubernetes-cluster.ts';

const SECRET: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { namespace: 'default', name: 'a', resourceVersion: '1' },
};
const KEY = { namespace: 'default', name: 'a' };
const EMPTY = { items: [], metadata: { resourceVersion: '1' } };

let server: FakeApiServer | undefined;
let cluster: KubernetesCluster | undefined;

async function start(handler: Handler, clock = systemClock, user?: object): Promise<KubernetesCluster> {
  server = await startFakeApiServer(handler, user);
  const logger = createLogger('test', 'silent');
  cluster = kubernetesCluster({ kubeconfigPath: server.kubeconfigPath, clock, logger, random: () => 0 });
  return cluster;
}

afterEach(async () => {
  await cluster?.close();
  await server?.close();
  cluster = undefined;
  server = undefined;
});

describe('connections', () => {
  test('calls in turn share two, and a burst opens at most 16', async () => {
    const calls = await start((_request, response) => answer(response, 200, SECRET));
    for (let i = 0; i < 20; i++) await calls.get(SECRETS, KEY);
    // The second is opened while the first still hands over its answer.
    expect(server?.connections).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 200 }, () => calls.get(SECRETS, KEY)));
    expect(server?.connections).toBeLessThanOrEqual(16);
  });

  test('any number of watches leaves room for calls', async () => {
    const calls = await start((request, response) => {
      if (isWatch(request)) open(response);
      else answer(response, 200, request.url?.includes('/a') ? SECRET : EMPTY);
    });
    const stop = new AbortController();
    const synced = Array.from({ length: 40 }, () => {
      return new Promise<void>((resolve) =>
        calls.watch(SECRETS, {}, ({ type }) => type === 'Synced' && resolve(), stop.signal),
      );
    });
    await Promise.all(synced);
    expect(calls.watches()).toHaveLength(40);
    expect(await calls.get(SECRETS, KEY)).toEqual(SECRET);
    stop.abort();
  });
});

describe('a request', () => {
  test('carries the token without its newline, the server’s own path, and a merge patch as such', async () => {
    const seen: unknown[] = [];
    const calls = await start(({ headers, method }, response, body) => {
      seen.push([method, headers.authorization, headers['content-type'], body]);
      answer(response, 200, SECRET);
    });
    await calls.patchStatus(SECRETS, { ...KEY, resourceVersion: '7' }, { a: null });
    expect(server?.requests).toEqual(['PATCH /prefix/api/v1/namespaces/default/secrets/a/status']);
    const body = '{"metadata":{"resourceVersion":"7"},"status":{"a":null}}';
    expect(seen).toEqual([['PATCH', 'Bearer secret-token', 'application/merge-patch+json', body]]);
  });

  test('may authorize by name and password', async () => {
    const calls = await start(
      ({ headers }, response) => answer(response, 200, { ...SECRET, data: { seen: headers.authorization } }),
      systemClock,
      {
        username: 'user',
        password: 'pass',
      },
    );
    expect(await calls.get(SECRETS, KEY)).toMatchObject({ data: { seen: 'Basic dXNlcjpwYXNz' } });
  });

  test('follows a list over all of its pages', async () => {
    const pages = [['a', 'b'], ['c'], ['d']];
    const calls = await start((request, response) => {
      const page = Number(new URL(`http://x${request.url}`).searchParams.get('continue') ?? 0);
      const items = pages[page]?.map((name) => ({ metadata: { name } }));
      const next = page + 1 < pages.length ? { continue: String(page + 1) } : { continue: '' };
      answer(response, 200, { items, metadata: { resourceVersion: '9', ...next } });
    });
    const objects = await calls.list(SECRETS, { namespace: 'default', labels: { b: '2', a: '1' } });
    expect(objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      'Secret a',
      'Secret b',
      'Secret c',
      'Secret d',
    ]);
    expect(server?.requests).toEqual([
      'GET /prefix/api/v1/namespaces/default/secrets?limit=500&labelSelector=a%3D1%2Cb%3D2',
      'GET /prefix/api/v1/namespaces/default/secrets?limit=500&continue=1&labelSelector=a%3D1%2Cb%3D2',
      'GET /prefix/api/v1/namespaces/default/secrets?limit=500&continue=2&labelSelector=a%3D1%2Cb%3D2',
    ]);
  });

  test('that is refused for overload says how long to wait', async () => {
    const calls = await start((_request, response) => answer(response, 429, 'slow down', { 'retry-after': '3' }));
    await expect(calls.get(SECRETS, KEY)).rejects.toMatchObject({
      reason: 'TooManyRequests',
      status: 429,
      retryAfterSeconds: 3,
    });
  });

  test.each<[string, Handler, string]>([
    ['is not JSON', (_request, response) => answer(response, 200, '{"half":'), 'JSON'],
    [
      'breaks off',
      (_request, response) =>
        void response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy()),
      'get Secret',
    ],
    ['never comes because the connection is reset', (request) => void request.socket.resetAndDestroy(), 'get Secret'],
  ])('whose answer %s is Unavailable', async (_name, handler, message) => {
    const calls = await start(handler);
    await expect(calls.get(SECRETS, KEY)).rejects.toMatchObject({
      name: 'ClusterError',
      reason: 'Unavailable',
      status: 0,
      message: expect.stringContaining(message),
    });
  });

  test('that is not answered is given up', async () => {
    const clock = new ManualClock();
    const arrived = signal();
    const calls = await start(() => arrived.give(), clock);
    const failed = calls.get(SECRETS, KEY).catch((error: unknown) => error);
    const want = {
      reason: 'Unavailable',
      message: 'get Secret default/a: no answer within 30 s',
    };
    await arrived.promise;
    await clock.advance(30_000);
    expect(await failed).toMatchObject(want);
    expect(clock.pending).toBe(0);
  });

  test('is broken off by close, and refused after it', async () => {
    const arrived = signal();
    const calls = await start(() => arrived.give());
    const failed = calls.get(SECRETS, KEY).catch((error: unknown) => error);
    const want = { reason: 'Unavailable' };
    await arrived.promise;
    await calls.close();
    expect(await failed).toMatchObject(want);
    await expect(calls.get(SECRETS, KEY)).rejects.toMatchObject({
      reason: 'Unavailable',
      message: expect.stringContaining('closed'),
    });
  });
});

describe('a watch over HTTP', () => {
  const event = (type: string, name: string, resourceVersion: number): string =>
    `${JSON.stringify({ type, object: { ...SECRET, metadata: { namespace: 'default', name, uid: name, resourceVersion: String(resourceVersion) } } })}\n`;

  test('survives a connection cut amid an event, a refused list and an expired version, and repeats nothing', async () => {
    const streams: ((response: ServerResponse) => void)[] = [
      (response) =>
        open(response).write(event('ADDED', 'a', 2) + event('ADDED', 'b', 3).slice(0, 30), () => response.destroy()),
      (response) => open(response).end(event('ADDED', 'b', 3)),
      (response) => answer(response, 410, { kind: 'Status', code: 410, reason: 'Expired' }),
      (response) => void open(response).write(event('ADDED', 'd', 9)),
    ];
    const items = ['a', 'c'].map((name, i) => ({
      metadata: { namespace: 'default', name, uid: name, resourceVersion: i === 0 ? '2' : '7' },
    }));
    const lists: ((response: ServerResponse) => void)[] = [
      (response) => answer(response, 500, 'no etcd'),
      (response) => answer(response, 200, EMPTY),
      (response) => answer(response, 200, { items, metadata: { resourceVersion: '8' } }),
    ];
    const calls = await start((request, response) => (isWatch(request) ? streams : lists).shift()?.(response));
    const seen: string[] = [];
    const done = signal();
    const stop = new AbortController();
    calls.watch(
      SECRETS,
      {},
      (it) => {
        seen.push(it.type === 'Synced' ? it.type : `${it.type} ${it.object.metadata.name}`);
        if (seen.length === 6) done.give();
      },
      stop.signal,
    );
    await done.promise;
    stop.abort();
    expect(seen).toEqual(['Synced', 'Applied a', 'Applied b', 'Deleted b', 'Applied c', 'Applied d']);
    const versions = server?.requests
      .filter((it) => it.includes('watch=true'))
      .map((it) => /resourceVersion=(\d+)/.exec(it)?.[1]);
    expect(versions).toEqual(['1', '2', '3', '8']);
    expect(server?.requests.find((it) => it.includes('watch=true'))).toContain('allowWatchBookmarks=true');
  });

  test('lists from the beginning when the list expires between two pages', async () => {
    const item = (name: string): object => ({
      metadata: { namespace: 'default', name, uid: name, resourceVersion: '2' },
    });
    const pages: ((response: ServerResponse) => void)[] = [
      (response) => answer(response, 200, { items: [item('a')], metadata: { resourceVersion: '3', continue: 'x' } }),
      (response) => answer(response, 410, { kind: 'Status', code: 410, reason: 'Expired' }),
      (response) => answer(response, 200, { items: [item('b')], metadata: { resourceVersion: '9', continue: 'y' } }),
      (response) => answer(response, 200, { items: [item('c')], metadata: { resourceVersion: '9' } }),
    ];
    const calls = await start((request, response) => (isWatch(request) ? open(response) : pages.shift()?.(response)));
    const seen: string[] = [];
    const stop = new AbortController();
    await new Promise<void>((resolve) => {
      calls.watch(
        SECRETS,
        {},
        (it) => {
          seen.push(it.type === 'Synced' ? it.type : it.object.metadata.name);
          if (it.type === 'Synced') resolve();
        },
        stop.signal,
      );
    });
    stop.abort();
    expect(seen).toEqual(['b', 'c', 'Synced']);
    expect(server?.requests.slice(0, 4).map((it) => /continue=(\w+)/.exec(it)?.[1])).toEqual([
      undefined,
      'x',
      undefined,
      'y',
    ]);
  });

  test('leaves a connection that is silent for too long', async () => {
    const clock = new ManualClock();
    const arrivals = [signal(), signal()];
    const left = signal();
    let watches = 0;
    const calls = await start((request, response) => {
      if (!isWatch(request)) return answer(response, 200, EMPTY);
      open(response).on('close', () => left.give());
      arrivals[watches++]?.give();
    }, clock);
    const stop = new AbortController();
    calls.watch(SECRETS, {}, () => undefined, stop.signal);
    await arrivals[0]?.promise;
    await clock.advance(150_000);
    await left.promise;
    // The pause before it connects again.
    while (watches < 2) await clock.advance(100);
    await arrivals[1]?.promise;
    stop.abort();
  });

  test('that does not begin is given up after 30 s', async () => {
    const clock = new ManualClock();
    const arrivals = [signal(), signal()];
    let watches = 0;
    const calls = await start((request, response) => {
      if (isWatch(request)) arrivals[watches++]?.give();
      else answer(response, 200, EMPTY);
    }, clock);
    const stop = new AbortController();
    calls.watch(SECRETS, {}, () => undefined, stop.signal);
    await arrivals[0]?.promise;
    await clock.advance(30_000);
    while (watches < 2) await clock.advance(100);
    await arrivals[1]?.promise;
    expect(clock.monotonic()).toBeLessThan(40_000);
    stop.abort();
  });

  test('ends with close, which leaves nothing behind', async () => {
    const clock = new ManualClock();
    const arrived = signal();
    const calls = await start((request, response) => {
      if (!isWatch(request)) return answer(response, 200, EMPTY);
      open(response);
      arrived.give();
    }, clock);
    calls.watch(SECRETS, {}, () => undefined, new AbortController().signal);
    await arrived.promise;
    expect(calls.watches()).toMatchObject([{ name: 'secrets', synced: true }]);
    await calls.close();
    expect(calls.watches()).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

function isWatch(request: IncomingMessage): boolean {
  return request.url?.includes('watch=true') === true;
}

/** Begins an answer that stays open. */
function open(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  return response;
}

/** Something to await that the other side says. */
function signal(): { readonly promise: Promise<undefined>; readonly give: () => void } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return {
    promise,
    give: () => {
      resolve(undefined);
    },
  };
}
