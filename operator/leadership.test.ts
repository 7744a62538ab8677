import { expect, test } from '@jest/globals';
import { testCluster } from './cluster/memory/test-cluster.ts';
import { ClusterError } from './cluster/port.ts';
import { LEASES } from './cluster/resources.ts';
import { leaseLeadership } from './leadership.ts';

const NAMESPACE = 'pilotlight-system';

function replica(identity: string, options?: Parameters<typeof testCluster>[0]) {
  const { cluster, clock } = testCluster(options);
  return { cluster, clock, leadership: leaseLeadership({ cluster, clock, namespace: NAMESPACE, identity }) };
}

test('an epoch is above every one before it and above what gateways report', async () => {
  const { cluster, clock, leadership } = replica('operator-0');
  expect(await leadership.claimEpoch(1)).toBe(1);
  expect(await leadership.claimEpoch(1)).toBe(2);
  expect(await leadership.claimEpoch(40)).toBe(40);
  const other = leaseLeadership({ cluster, clock, namespace: NAMESPACE, identity: 'operator-1' });
  expect(await other.claimEpoch(1)).toBe(41);
  expect((await cluster.get(LEASES, { namespace: NAMESPACE, name: 'pilotlight-operator' }))?.spec).toMatchObject({
    holderIdentity: 'operator-1',
    leaseTransitions: 41,
    renewTime: '2026-01-01T00:00:00.000000Z',
  });
});

test('two that claim at once get different epochs', async () => {
  const { cluster, clock, leadership } = replica('operator-0');
  const other = leaseLeadership({ cluster, clock, namespace: NAMESPACE, identity: 'operator-1' });
  const epochs = await Promise.all([leadership.claimEpoch(1), other.claimEpoch(1), leadership.claimEpoch(1)]);
  expect(new Set(epochs).size).toBe(3);
});

test('a claim that the API server refuses is refused', async () => {
  const refusal = new ClusterError('Forbidden', 'no leases for you');
  const { leadership } = replica('operator-0', {
    faults: { call: ({ verb }) => (verb === 'create' ? refusal : undefined) },
  });
  await expect(leadership.claimEpoch(1)).rejects.toBe(refusal);
});
