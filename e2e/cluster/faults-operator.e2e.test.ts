/** Operators that end while requests come. No request passes through one, so none may fail: a cold start waits until another one leads, that is all. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { OPERATOR, SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { Leadership } from './support/leadership.ts';
import { ProcessKiller } from './support/process-killer.ts';
import { expectNothingLost, prepareFunctions, startTraffic, type Traffic } from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(240_000);

let suite: Suite;
let killer: ProcessKiller;
let leadership: Leadership;
beforeAll(async () => {
  [suite, killer, leadership] = await Promise.all([
    startSuite('faults-operator'),
    ProcessKiller.start(),
    Leadership.start(),
  ]);
  await prepareFunctions(suite);
});
afterAll(() => Promise.all([suite.close(), killer.close(), leadership.close()]));

let traffic: Traffic;
beforeEach(async () => {
  traffic = await startTraffic(suite);
});
afterEach(() => traffic.stop('after the test'));

/** Pods of a function that were ever made since then. */
function podsMade(name: string, since: number): ReadonlySet<string | undefined> {
  const seen = suite.pods.history.slice(since).map(({ object }) => object);
  return new Set(
    seen.filter(({ metadata }) => metadata.name.startsWith(`${name}-`)).map(({ metadata }) => metadata.uid),
  );
}

test('SIGKILL of the leader: the other one takes over, and serves the cold start that was asked for meanwhile', async () => {
  const { holder, pod } = leadership;
  await killer.prepare(pod);
  const since = suite.pods.history.length;
  const { to } = await killer.kill(pod, 'container');
  await traffic.wake();
  await leadership.untilAnotherLeads(holder);
  const tookOverAfter = Date.now() - to;
  await suite.untilReplicas('asleep', 1);
  await traffic.pass(50);
  expectNothingLost(await traffic.stop(`SIGKILL of the leading operator, another one led after ${tookOverAfter} ms`));
  expect(podsMade('asleep', since).size).toBe(1);
  expect(podsMade('short', since).size).toBeLessThanOrEqual(1);
});

test('a rolling restart of all operators loses nothing', async () => {
  const since = suite.pods.history.length;
  const options = ['-n', SYSTEM_NAMESPACE, `deployment/${OPERATOR}`];
  await kubectl(['rollout', 'restart', ...options]);
  await traffic.wake(1_000);
  await kubectl(['rollout', 'status', ...options, '--timeout=120s'], { timeoutSeconds: 130 });
  await suite.untilReplicas('asleep', 1);
  await suite.untilNoPods('asleep');
  expectNothingLost(await traffic.stop('rolling restart of the operators'));
  expect(podsMade('asleep', since).size).toBe(1);
  for (const name of ['short', 'held'])
    expect(suite.podsOf(name).every(({ metadata }) => !metadata.deletionTimestamp)).toBe(true);
});
