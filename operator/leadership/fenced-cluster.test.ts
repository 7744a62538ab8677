import { expect, test } from '@jest/globals';
import { testCluster, testSecret } from '../cluster/memory/test-cluster.ts';
import { SECRETS } from '../cluster/resources.ts';
import { fencedCluster } from './fenced-cluster.ts';

const KEY = { namespace: 'default', name: 'a' };

test('who does not lead reads, and every write fails before it does anything', async () => {
  const { cluster } = testCluster();
  let leads = true;
  const fenced = fencedCluster(cluster, () => leads);
  const secret = await fenced.create(SECRETS, testSecret('a'));
  leads = false;
  for (const write of [
    () => fenced.create(SECRETS, testSecret('b')),
    () => fenced.update(SECRETS, { ...secret, type: 'other' }),
    () => fenced.patchStatus(SECRETS, KEY, {}),
    () => fenced.scale(SECRETS, KEY, 1),
    () => fenced.delete(SECRETS, KEY),
  ]) {
    await expect(write()).rejects.toMatchObject({ reason: 'Unavailable', message: expect.stringMatching('not lead') });
  }
  expect(await fenced.list(SECRETS)).toEqual([secret]);
  leads = true;
  await fenced.delete(SECRETS, KEY);
  expect(await fenced.get(SECRETS, KEY)).toBeUndefined();
  await cluster.close();
});
