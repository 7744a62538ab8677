/** Credentials that are replaced while an operator runs: the kubelet writes a new token, a plug-in would give another one, the old one is refused. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import { createLogger } from '../../../common/platform/logging.ts';
import { SECRETS, type Secret } from '../resources.ts';
import { answer, startFakeApiServer, type FakeApiServer } from './testing/fake-api-server.ts';
import { kubernetesCluster, type KubernetesCluster } from './kubernetes-cluster.ts';

const KEY = { namespace: 'default', name: 'a' };
const SECRET: Secret = { apiVersion: 'v1', kind: 'Secret', metadata: { ...KEY, resourceVersion: '1' } };

let folder: string;
/** What the API server takes. */
let valid: string;
let server: FakeApiServer;
let cluster: KubernetesCluster;
/** How many requests it refused. */
let refused: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-rotation-'));
  valid = 'first';
  refused = 0;
});

afterEach(async () => {
  await cluster.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function start(user: object): Promise<void> {
  await writeFile(join(folder, 'token'), 'first\n');
  server = await startFakeApiServer(({ url, headers }, response) => {
    if (headers.authorization !== `Bearer ${valid}`) {
      refused += 1;
      answer(response, 401, { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    } else if (url?.includes('watch=true')) {
      response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
      response.write(
        `${JSON.stringify({ type: 'ADDED', object: { ...SECRET, metadata: { ...KEY, resourceVersion: '2' } } })}\n`,
      );
    } else answer(response, 200, url?.includes('limit=') ? { items: [], metadata: { resourceVersion: '1' } } : SECRET);
  }, user);
  const logger = createLogger('test', 'silent');
  cluster = kubernetesCluster({ kubeconfigPath: server.kubeconfigPath, clock: systemClock, logger, random: () => 0 });
}

async function rotate(to: string): Promise<void> {
  valid = to;
  await writeFile(join(folder, 'token'), `${to}\n`);
}

/** Users whose token is in the file; a plug-in writes a line for each run. */
const USERS = {
  'a pod’s service account': () => ({
    'auth-provider': { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } },
  }),
  'a kubeconfig’s tokenFile': () => ({ token: 'outdated', tokenFile: join(folder, 'token') }),
  'an exec plug-in whose credential never expires': () => ({
    exec: {
      command: 'sh',
      args: ['-c', `echo run >>${folder}/runs; echo "{\\"status\\": {\\"token\\": \\"$(cat ${folder}/token)\\"}}"`],
    },
  }),
};

const runs = async (): Promise<number> => (await readFile(join(folder, 'runs'), 'utf8')).length / 'run\n'.length;

describe.each(Object.entries(USERS))('the token of %s', (_name, user) => {
  test('is read anew as soon as the old one is refused, and the call is made again', async () => {
    await start(user());
    await cluster.get(SECRETS, KEY);
    await rotate('second');
    expect(await cluster.get(SECRETS, KEY)).toEqual(SECRET);
    await cluster.get(SECRETS, KEY);
    expect(refused).toBe(1);
    await rotate('third');
    expect(await cluster.get(SECRETS, KEY)).toEqual(SECRET);
    expect(refused).toBe(2);
  });

  test('that begins a watch is read anew too', async () => {
    await start(user());
    await cluster.get(SECRETS, KEY);
    await rotate('second');
    const stop = new AbortController();
    const seen: string[] = [];
    await new Promise<void>((resolve) => {
      cluster.watch(
        SECRETS,
        {},
        ({ type }) => {
          seen.push(type);
          if (type === 'Applied') resolve();
        },
        stop.signal,
      );
    });
    stop.abort();
    expect(seen).toEqual(['Synced', 'Applied']);
    expect(refused).toBe(1);
  });
});

test('a kubeconfig is read anew also where what was refused was no token', async () => {
  await start({ 'client-certificate-data': 'b2xk', 'client-key-data': 'b2xk' });
  const config = await readFile(server.kubeconfigPath, 'utf8');
  await writeFile(server.kubeconfigPath, config.replace('"client-certificate-data":"b2xk"', '"token":"first"'));
  expect(await cluster.get(SECRETS, KEY)).toEqual(SECRET);
  expect(refused).toBe(1);
});

test('calls that are refused together share one run of the plug-in', async () => {
  await start(USERS['an exec plug-in whose credential never expires']());
  await cluster.get(SECRETS, KEY);
  await rotate('second');
  const all = await Promise.all(Array.from({ length: 10 }, () => cluster.get(SECRETS, KEY)));
  expect(all).toEqual(Array.from({ length: 10 }, () => SECRET));
  expect(await runs()).toBe(2);
});

test('a call that is refused twice is refused', async () => {
  await start(USERS['an exec plug-in whose credential never expires']());
  valid = 'of somebody else';
  await expect(cluster.get(SECRETS, KEY)).rejects.toMatchObject({ reason: 'Unavailable', status: 401 });
  expect(server.requests).toHaveLength(2);
  expect(await runs()).toBe(2);
});

test('credentials are not read from a kubeconfig that names another cluster by now', async () => {
  await start(USERS['a pod’s service account']());
  await cluster.get(SECRETS, KEY);
  const config = await readFile(server.kubeconfigPath, 'utf8');
  await writeFile(
    server.kubeconfigPath,
    config.replace('/prefix/', '/elsewhere/').replace('"auth-provider"', '"ignored"'),
  );
  valid = 'second';
  await expect(cluster.get(SECRETS, KEY)).rejects.toMatchObject({ status: 401 });
  await writeFile(server.kubeconfigPath, config);
  await rotate('second');
  expect(await cluster.get(SECRETS, KEY)).toEqual(SECRET);
});
