import { expect, test } from '@jest/globals';
import { LABELS } from '../../common/api/names.ts';
import type { Pod } from '../cluster/resources.ts';
import { PodShares } from './pod-shares.ts';

const GPU = 'nvidia.com/gpu';
const BUDGETS = [
  { resource: GPU, namespace: undefined, limit: 8 },
  { resource: GPU, namespace: 'research', limit: 2 },
];

function pod(namespace: string, name: string, revision: string): Pod {
  const metadata = { namespace, name, labels: { [LABELS.revision]: revision } };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [] } };
}

test('a pod that is seen again counts once, and for the revision that it has now', () => {
  const pods = new PodShares();
  pods.see(pod('models', 'a-0', 'a'), { [GPU]: 1 });
  pods.see(pod('models', 'a-1', 'a'), { [GPU]: 1 });
  pods.see(pod('models', 'a-1', 'a'), { [GPU]: 1 });
  expect(pods.countOf('models/a')).toBe(2);
  pods.see(pod('models', 'a-1', 'b'), { [GPU]: 1 });
  expect([pods.countOf('models/a'), pods.countOf('models/b')]).toEqual([1, 1]);
  expect(pods.gone(pod('models', 'a-1', 'b'))).toBe(true);
  expect(pods.gone(pod('models', 'a-1', 'b'))).toBe(false);
  expect([pods.countOf('models/a'), pods.countOf('models/b')]).toEqual([1, 0]);
});

test('pods and those that are being made hold what they need of each budget that bounds them', () => {
  const pods = new PodShares();
  pods.see(pod('models', 'a-0', 'a'), { [GPU]: 4 });
  pods.see(pod('research', 'b-0', 'b'), { [GPU]: 1 });
  const making = [{ namespace: 'research', needs: { [GPU]: 1 }, replicas: 2 }];
  expect(pods.inUse(BUDGETS, making, 0).map(({ held }) => held)).toEqual([7, 3]);
});
