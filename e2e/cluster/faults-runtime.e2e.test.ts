/**
 * Runtime pods that end against their will while requests come. A request that a pod had is sent once more to another one, so nothing may be lost but
 * a body too large to be held for that: such a request fails with 502, and no other.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Pod } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import { kubectl } from './support/kubectl.ts';
import { ProcessKiller } from './support/process-killer.ts';
import {
  expectNothingLost,
  expectNothingLostBut,
  prepareFunctions,
  startTraffic,
  type Traffic,
} from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(180_000);

let suite: Suite;
let killer: ProcessKiller;
beforeAll(async () => {
  [suite, killer] = await Promise.all([startSuite('faults-runtime'), ProcessKiller.start()]);
  await prepareFunctions(suite);
  await killer.prepare(keyOf(podOf('short')));
});
afterAll(() => Promise.all([suite.close(), killer.close()]));

let traffic: Traffic;
beforeEach(async () => {
  traffic = await startTraffic(suite);
});
afterEach(() => traffic.stop('after the test'));

function podOf(name: string): Pod {
  const pod = suite
    .podsOf(name)
    .find(({ metadata, status }) => !metadata.deletionTimestamp && status?.phase === 'Running');
  if (pod === undefined) throw new Error(`No pod of ${name} runs.`);
  return pod;
}

function keyOf({ metadata: { namespace = '', name } }: Pod): { readonly namespace: string; readonly name: string } {
  return { namespace, name };
}

/** The pod is gone, and as many others run as before. */
async function untilReplaced(name: string, uid: string | undefined, replicas: number): Promise<void> {
  await suite.pods.until(`${name} has another pod`, () => {
    const pods = suite.podsOf(name);
    const ready = pods.filter(({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    );
    return pods.every(({ metadata }) => metadata.uid !== uid) && ready.length === replicas ? true : undefined;
  });
}

const FUNCTIONS = [
  ['the only pod of a function', 'short', 1],
  ['one of two pods, with requests in it', 'held', 2],
] as const;

describe.each(FUNCTIONS)('of %s', (_what, name, replicas) => {
  test('SIGKILL of the program: it starts again in its place', async () => {
    const pod = podOf(name);
    const [killed] = await Promise.all([killer.kill(keyOf(pod), 'program'), traffic.wake(100)]);
    await traffic.pass(250);
    expectNothingLostBut(await traffic.stop(`SIGKILL of the program in ${pod.metadata.name}`), killed);
    expect(podOf(name).metadata.uid).toBe(pod.metadata.uid);
  });

  test('SIGKILL of the container: another pod takes its place', async () => {
    const pod = podOf(name);
    const [killed] = await Promise.all([killer.kill(keyOf(pod), 'container'), traffic.wake(100)]);
    await untilReplaced(name, pod.metadata.uid, replicas);
    await traffic.pass(50);
    expectNothingLostBut(await traffic.stop(`SIGKILL of the container of ${pod.metadata.name}`), killed);
  });

  test.each<[string, (pod: Pod) => Promise<unknown>]>([
    ['eviction', evict],
    ['deletion', (pod) => suite.kubectl('delete', 'pod', pod.metadata.name, '--wait=false')],
  ])('%s: another pod takes its place', async (what, end) => {
    const pod = podOf(name);
    await Promise.all([end(pod), traffic.wake(100)]);
    await untilReplaced(name, pod.metadata.uid, replicas);
    await traffic.pass(50);
    expectNothingLost(await traffic.stop(`${what} of ${pod.metadata.name}`));
  });

  test('deletion by force, which kills: another pod takes its place', async () => {
    const pod = podOf(name);
    const from = Date.now();
    await Promise.all([
      suite.kubectl('delete', 'pod', pod.metadata.name, '--force', '--grace-period=0'),
      traffic.wake(100),
    ]);
    await untilReplaced(name, pod.metadata.uid, replicas);
    const to = Date.now();
    await traffic.pass(50);
    expectNothingLostBut(await traffic.stop(`deletion by force of ${pod.metadata.name}`), { from, to });
  });
});

test('a body too large to be held is lost with its pod, and nothing else', async () => {
  const large = await suite.openInference('short', DIGITS.request);
  await traffic.pass(10);
  const killed = await killer.kill(keyOf(podOf('short')), 'program');
  expect(await large.finish()).toMatchObject({ status: 502, json: { code: 'pod-failed' } });
  expectNothingLostBut(await traffic.stop('SIGKILL with a large body in the pod'), killed);
});

/** As `kubectl drain` does. */
function evict(pod: Pod): Promise<string> {
  const { namespace, name } = keyOf(pod);
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction`;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name } };
  return kubectl(['create', '--raw', path, '-f', '-'], { input: JSON.stringify(eviction) });
}
