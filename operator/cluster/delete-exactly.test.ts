import { expect, test } from '@jest/globals';
import { deleteExactly } from './delete-exactly.ts';
import { testCluster, testPod } from './memory/test-cluster.ts';
import { ClusterError } from './port.ts';
import { PODS } from './resources.ts';

test('an object that is gone, or whose name another has, is as good as deleted', async () => {
  const { cluster } = testCluster();
  const { metadata } = await cluster.create(PODS, testPod('a'));
  await deleteExactly(cluster, PODS, metadata);
  await deleteExactly(cluster, PODS, metadata);
  const other = await cluster.create(PODS, testPod('a'));
  await deleteExactly(cluster, PODS, metadata);
  expect((await cluster.get(PODS, metadata))?.metadata.uid).toBe(other.metadata.uid);
});

test('a conflict about an object that is still there is not taken for its end', async () => {
  const refusal = new ClusterError('Conflict', 'A webhook says no');
  const { cluster } = testCluster({ faults: { call: ({ verb }) => (verb === 'delete' ? refusal : undefined) } });
  const { metadata } = await cluster.create(PODS, testPod('a'));
  await expect(deleteExactly(cluster, PODS, metadata)).rejects.toBe(refusal);
});
