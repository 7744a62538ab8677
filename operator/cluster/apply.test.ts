import { expect, test } from '@jest/globals';
import { apply, remove } from './apply.ts';
import { ClusterError } from './port.ts';
import { testCluster, testSecret } from './memory/test-cluster.ts';
import { SECRETS } from './resources.ts';
import { FUNCTIONS, modelFunction } from './conformance/subject.ts';

const KEY = { namespace: 'default', name: 'a' };

test('creates, then changes only what differs', async () => {
  const { cluster } = testCluster();
  const manifest = modelFunction(KEY, { timeoutSeconds: 5 });
  expect(await apply(cluster, FUNCTIONS, manifest)).toBe('created');
  const created = await cluster.get(FUNCTIONS, KEY);
  expect(await apply(cluster, FUNCTIONS, manifest)).toBe('unchanged');
  expect(await cluster.get(FUNCTIONS, KEY)).toEqual(created);
  expect(await apply(cluster, FUNCTIONS, modelFunction({ ...KEY, labels: { a: 'b' } }, { timeoutSeconds: 6 }))).toBe(
    'configured',
  );
  expect(await cluster.get(FUNCTIONS, KEY)).toMatchObject({
    metadata: { labels: { a: 'b' } },
    spec: { timeoutSeconds: 6 },
  });
});

test('a field or label that the manifest no longer has goes back to its default', async () => {
  const { cluster } = testCluster();
  await apply(cluster, FUNCTIONS, modelFunction({ ...KEY, labels: { a: 'b' } }, { timeoutSeconds: 5 }));
  expect(await apply(cluster, FUNCTIONS, modelFunction(KEY))).toBe('configured');
  const current = await cluster.get(FUNCTIONS, KEY);
  expect(current?.spec['timeoutSeconds']).toBe(60);
  expect(current?.metadata.labels).toBeUndefined();
});

test('leaves status, finalizers and owners to those who wrote them', async () => {
  const { cluster } = testCluster();
  const owner = await cluster.create(SECRETS, testSecret('owner'));
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Secret', name: 'owner', uid: owner.metadata.uid ?? '' }];
  const finalizers = ['pilotlight.dev/a'];
  await cluster.create(FUNCTIONS, modelFunction({ ...KEY, ownerReferences, finalizers }));
  await cluster.patchStatus(FUNCTIONS, KEY, { replicas: 3 });
  await apply(cluster, FUNCTIONS, modelFunction(KEY, { timeoutSeconds: 5 }));
  expect(await cluster.get(FUNCTIONS, KEY)).toMatchObject({
    metadata: { ownerReferences, finalizers },
    status: { replicas: 3 },
  });
});

test.each(['Conflict', 'AlreadyExists', 'NotFound'] as const)(
  'tries again after %s, but not for ever',
  async (reason) => {
    let failures = 3;
    const { cluster } = testCluster({
      faults: { call: ({ verb }) => (verb === 'create' && failures-- > 0 ? new ClusterError(reason, 'x') : undefined) },
    });
    expect(await apply(cluster, FUNCTIONS, modelFunction(KEY))).toBe('created');
    failures = Infinity;
    await expect(apply(cluster, FUNCTIONS, modelFunction({ ...KEY, name: 'b' }))).rejects.toMatchObject({ reason });
  },
);

test('hands on what the manifest got wrong', async () => {
  const { cluster } = testCluster();
  await expect(apply(cluster, FUNCTIONS, modelFunction(KEY, { timeoutSeconds: 0 }))).rejects.toMatchObject({
    reason: 'Invalid',
    causes: [{ field: 'spec.timeoutSeconds' }],
  });
});

test('removes what is there, and is content with what is not', async () => {
  const { cluster } = testCluster({ faults: {} });
  await apply(cluster, FUNCTIONS, modelFunction(KEY));
  await remove(cluster, FUNCTIONS, KEY);
  await remove(cluster, FUNCTIONS, KEY);
  expect(await cluster.list(FUNCTIONS)).toEqual([]);
});
