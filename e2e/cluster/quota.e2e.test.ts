import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS } from '../local/examples.ts';
import { condition } from '../function-state.ts';
import { modelFunction } from './support/manifests.ts';
import { applyObjects } from './support/objects.ts';
import { RESOURCE_QUOTAS } from './support/resources.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('quota');
});
afterAll(() => suite.close());

/** The client is a pod too. */
async function allowPods(pods: number): Promise<void> {
  await applyObjects({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { namespace: suite.namespace, name: 'few' },
    spec: { hard: { pods: String(1 + pods) } },
  });
}

test('a pod above the quota is not there, and the function says which quota and by how much', async () => {
  await allowPods(1);
  const quotas = await suite.watch(RESOURCE_QUOTAS);
  await quotas.until('the quota counts', (all) => all.find(({ status }) => status?.hard?.['pods'] === '2'));
  await suite.apply(modelFunction('first', { scaling: { minReplicas: 1 } }));
  await suite.untilReady('first');
  await suite.apply(modelFunction('second', { queue: { timeoutSeconds: 120 } }));
  const fn = await suite.untilFunction(
    'second',
    'says that a quota is used up',
    (now) => condition(now, 'Ready')?.reason === 'QuotaExceeded',
  );
  expect(condition(fn, 'Ready')?.message).toMatch(
    /exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2/,
  );
  expect(suite.podsOf('second')).toEqual([]);
});

test('once the quota is raised, it becomes ready without anybody touching it', async () => {
  const generation = (await suite.untilFunction('second', 'exists', () => true)).metadata.generation;
  const raisedAt = Date.now();
  await allowPods(2);
  const fn = await suite.untilReady('second');
  process.stdout.write(
    `The function was ready ${((Date.now() - raisedAt) / 1000).toFixed(1)} s after the quota was raised.\n`,
  );
  expect(fn.metadata.generation).toBe(generation);
  expect((await suite.infer('second', DIGITS.request)).status).toBe(200);
});
