import { describe, expect, test } from '@jest/globals';
import type { Pod } from '../resources.ts';
import { PODS } from '../resources.ts';
import { pod, uniqueName, type CurrentSubject } from './subject.ts';
import { withWatch } from './watch-log.ts';

const NO_NODE = 'no-such-node';

export function describePods(current: CurrentSubject): void {
  describe('pods', () => {
    test('begin as Pending, with what an API server fills in', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(PODS, pod({ namespace, name: uniqueName('pod') }));
      expect(created).toMatchObject({
        spec: { restartPolicy: 'Always', containers: [{ resources: { requests: { cpu: '1', memory: '64Mi' } } }] },
        status: { phase: 'Pending' },
      });
      await cluster.delete(PODS, { namespace, name: created.metadata.name }, { gracePeriodSeconds: 0 });
    });

    test('that were never scheduled go at once', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('unscheduled') };
      await cluster.create(PODS, pod(key));
      await withWatch(cluster, PODS, { namespace }, async (log) => {
        await log.synced();
        await cluster.delete(PODS, key);
        await log.deleted(key.name);
      });
      expect(await cluster.get(PODS, key)).toBeUndefined();
    });

    test('on a node are only marked, and stay until it confirms', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('scheduled') };
      const created = await cluster.create(PODS, pod(key, NO_NODE));
      await withWatch(cluster, PODS, { namespace }, async (log) => {
        await log.synced();
        await cluster.delete(PODS, key, { uid: created.metadata.uid ?? '' });
        const marked = await log.applied(key.name, isTerminating);
        expect(marked.metadata).toMatchObject({ uid: created.metadata.uid, deletionGracePeriodSeconds: 600 });
        // Nobody confirms for a node that is not there; a second deletion changes nothing and is no error.
        await cluster.delete(PODS, key);
        expect((await cluster.get(PODS, key))?.metadata.deletionTimestamp).toBe(marked.metadata.deletionTimestamp);
        // This is how a kubelet confirms.
        await cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
        await log.deleted(key.name);
      });
    });

    test('can be given less time to end', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('shorter') };
      await cluster.create(PODS, pod(key, NO_NODE));
      await cluster.delete(PODS, key, { gracePeriodSeconds: 300 });
      expect((await cluster.get(PODS, key))?.metadata.deletionGracePeriodSeconds).toBe(300);
      await cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
      expect(await cluster.get(PODS, key)).toBeUndefined();
    });

    test('keep their status through an update, and their spec through a status', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('status') };
      await cluster.create(PODS, pod(key));
      const running = await cluster.patchStatus(PODS, key, {
        phase: 'Running',
        podIP: '192.0.2.1',
        podIPs: [{ ip: '192.0.2.1' }],
      });
      expect(running).toMatchObject({
        spec: { terminationGracePeriodSeconds: 600 },
        status: { phase: 'Running', podIP: '192.0.2.1' },
      });
      const updated = await cluster.update(PODS, {
        ...running,
        metadata: { ...running.metadata, labels: { a: 'b' } },
        status: { phase: 'Failed' },
      });
      expect(updated).toMatchObject({ metadata: { labels: { a: 'b' } }, status: { phase: 'Running' } });
      await cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
    });

    test('keep their containers: a change is Invalid', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('fixed') };
      const created = await cluster.create(PODS, pod(key));
      const containers = created.spec.containers.map((container) => ({ ...container, command: ['other'] }));
      await expect(cluster.update(PODS, { ...created, spec: { ...created.spec, containers } })).rejects.toMatchObject({
        reason: 'Invalid',
      });
      await cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
    });
  });
}

function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}
