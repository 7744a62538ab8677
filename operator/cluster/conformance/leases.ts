import { describe, expect, test } from '@jest/globals';
import { isClusterError } from '../port.ts';
import { LEASES } from '../resources.ts';
import { lease, uniqueName, type CurrentSubject } from './subject.ts';

const RACERS = ['a', 'b', 'c', 'd'];

export function describeLeases(current: CurrentSubject): void {
  describe('leases', () => {
    test('are created by exactly one of those who race for it', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('lease');
      const outcomes = await Promise.allSettled(
        RACERS.map((racer) => cluster.create(LEASES, lease({ namespace, name }, racer))),
      );
      const held = await cluster.get(LEASES, { namespace, name });
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([{ status: 'fulfilled', value: held }]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(isClusterError(outcome.reason, 'AlreadyExists')).toBe(true);
      }
    });

    test('are taken over by exactly one of those who race for it', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('lease');
      const before = await cluster.create(LEASES, lease({ namespace, name }, 'former'));
      const outcomes = await Promise.allSettled(
        RACERS.map((racer) =>
          cluster.update(LEASES, { ...before, spec: { ...before.spec, holderIdentity: racer, leaseTransitions: 1 } }),
        ),
      );
      const held = await cluster.get(LEASES, { namespace, name });
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([{ status: 'fulfilled', value: held }]);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(isClusterError(outcome.reason, 'Conflict')).toBe(true);
      }
    });

    test('keep an annotation and a time to the microsecond', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(
        LEASES,
        lease({ namespace, name: uniqueName('lease'), annotations: { 'pilotlight.dev/epoch': '7' } }, 'a'),
      );
      const renewTime = '2026-01-01T00:00:10.123456Z';
      const renewed = await cluster.update(LEASES, { ...created, spec: { ...created.spec, renewTime } });
      expect(renewed.spec?.renewTime).toBe(renewTime);
      expect(renewed.metadata.annotations).toEqual({ 'pilotlight.dev/epoch': '7' });
    });
  });
}
