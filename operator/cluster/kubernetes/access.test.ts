import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { loadAccess } from './access.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pilotlight-access-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function kubeconfig(server: string, user: object = {}): Promise<string> {
  const path = join(folder, 'kubeconfig');
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server } }],
    users: [{ name: 'x', user }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

test.each(['http://127.0.0.1:8001', 'http://localhost:8001', 'http://[::1]:8001', 'https://cluster.example:6443'])(
  '%s is taken',
  async (server) => {
    const access = loadAccess(await kubeconfig(server));
    expect(access.server).toBe(server);
    await expect(access.authorize()).resolves.toBeDefined();
  },
);

test.each(['http://cluster.example:8080', 'http://10.0.0.1:8080', 'http://127.0.0.1.example'])(
  '%s is refused: a token would cross the network in the clear',
  async (server) => {
    const path = await kubeconfig(server);
    expect(() => loadAccess(path)).toThrow('must be https');
  },
);

test('callers at once share one run of an exec plug-in', async () => {
  const runs = join(folder, 'runs');
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'from-plug-in' },
  };
  const script = `echo run >> ${runs}; echo '${JSON.stringify(credential)}'`;
  const access = loadAccess(
    await kubeconfig('https://cluster.example', { exec: { command: 'sh', args: ['-c', script] } }),
  );
  const all = await Promise.all([access.authorize(), access.authorize(), access.authorize()]);
  for (const { headers } of all) expect(headers).toEqual({ authorization: 'Bearer from-plug-in' });
  expect(await readFile(runs, 'utf8')).toBe('run\n');
});

test('a bundle of certificates that was replaced is used from the next request on', async () => {
  const bundle = join(folder, 'ca.crt');
  await writeFile(bundle, 'old');
  const path = await kubeconfig('https://cluster.example');
  const config = await readFile(path, 'utf8');
  await writeFile(path, config.replace('"server"', `"certificate-authority":${JSON.stringify(bundle)},"server"`));
  const access = loadAccess(path);
  const seen = async (): Promise<unknown> => (await access.authorize()).dispatcher;
  expect(await seen()).toMatchObject({ connect: { ca: Buffer.from('old') } });
  await writeFile(bundle, 'new');
  expect(await seen()).toMatchObject({ connect: { ca: Buffer.from('new') } });
});

test('a kubeconfig without a cluster says what to set', async () => {
  const path = join(folder, 'kubeconfig');
  await writeFile(path, JSON.stringify({ contexts: [], clusters: [], users: [] }));
  expect(() => loadAccess(path)).toThrow('set current-context');
});
