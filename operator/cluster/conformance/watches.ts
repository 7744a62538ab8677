import { describe, expect, test } from '@jest/globals';
import { isClusterError, type Cluster, type WatchEvent } from '../port.ts';
import { SECRETS, type Secret } from '../resources.ts';
import { secret, uniqueName, type CurrentSubject } from './subject.ts';
import { withWatch } from './watch-log.ts';

export function describeWatches(current: CurrentSubject): void {
  describe('watches', () => {
    test('report what exists, then Synced once, then each change once and in order', async () => {
      const { cluster, namespace } = current();
      const labels = { watched: uniqueName('order') };
      const existing = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('existing'), labels }));
      await withWatch(cluster, SECRETS, { namespace, labels }, async (log) => {
        await log.synced();
        expect(log.events).toEqual([{ type: 'Applied', object: existing }, { type: 'Synced' }]);
        const name = uniqueName('fresh');
        const states = await writeTimes(
          cluster,
          await cluster.create(SECRETS, secret({ namespace, name, labels })),
          20,
        );
        await cluster.delete(SECRETS, { namespace, name });
        await log.deleted(name);
        expect(log.summary.filter((it) => it === 'Synced')).toHaveLength(1);
        expect(log.of(name).slice(0, -1)).toEqual(states.map((object) => ({ type: 'Applied', object })));
        expect(log.of(name).at(-1)).toMatchObject({
          type: 'Deleted',
          object: { data: states.at(-1)?.data, metadata: { uid: states[0]?.metadata.uid } },
        });
      });
    });

    test('of an empty scope are Synced at once', async () => {
      const { cluster, namespace } = current();
      await withWatch(cluster, SECRETS, { namespace, labels: { watched: 'nothing' } }, async (log) => {
        await log.synced();
        expect(log.events).toEqual([{ type: 'Synced' }]);
      });
    });

    test('see an object enter and leave their labels', async () => {
      const { cluster, namespace } = current();
      const labels = { watched: uniqueName('labels') };
      await withWatch(cluster, SECRETS, { namespace, labels }, async (log) => {
        await log.synced();
        const name = uniqueName('mover');
        const outside = await cluster.create(SECRETS, secret({ namespace, name, labels: { watched: 'elsewhere' } }));
        const inside = await cluster.update(SECRETS, { ...outside, metadata: { ...outside.metadata, labels } });
        const left = await cluster.update(SECRETS, { ...inside, metadata: { ...inside.metadata, labels: {} } });
        await log.deleted(name);
        await cluster.update(SECRETS, { ...left, metadata: { ...left.metadata, labels } });
        await log.until('three events', () => log.of(name).length === 3);
        expect(log.of(name).map(({ type }) => type)).toEqual(['Applied', 'Deleted', 'Applied']);
        expect(log.of(name)[0]).toEqual({ type: 'Applied', object: inside });
      });
    });

    test('of one namespace see nothing of another; those of all see both', async () => {
      const { cluster, namespace, otherNamespace } = current();
      // Other runs may have left objects in namespaces that are still going.
      const labels = { watched: `${namespace}.${uniqueName('namespaces')}` };
      await withWatch(cluster, SECRETS, { namespace, labels }, async (one) => {
        await withWatch(cluster, SECRETS, { labels }, async (all) => {
          await Promise.all([one.synced(), all.synced()]);
          const elsewhere = uniqueName('elsewhere');
          const here = uniqueName('here');
          await cluster.create(SECRETS, secret({ namespace: otherNamespace, name: elsewhere, labels }));
          await cluster.create(SECRETS, secret({ namespace, name: here, labels }));
          await Promise.all([one.applied(here), all.applied(here)]);
          expect(all.summary).toEqual(['Synced', `Applied ${elsewhere}`, `Applied ${here}`]);
          expect(one.summary).toEqual(['Synced', `Applied ${here}`]);
        });
      });
    });

    test('side by side see the same', async () => {
      const { cluster, namespace } = current();
      const labels = { watched: uniqueName('both') };
      const scope = { namespace, labels };
      await withWatch(cluster, SECRETS, scope, async (first) => {
        await withWatch(cluster, SECRETS, scope, async (second) => {
          await Promise.all([first.synced(), second.synced()]);
          const name = uniqueName('seen');
          await writeTimes(cluster, await cluster.create(SECRETS, secret({ namespace, name, labels })), 5);
          await cluster.delete(SECRETS, { namespace, name });
          await Promise.all([first.deleted(name), second.deleted(name)]);
          expect(second.events).toEqual(first.events);
        });
      });
    });

    test('that were aborted report no more', async () => {
      const { cluster, namespace } = current();
      const labels = { watched: uniqueName('aborted') };
      await withWatch(cluster, SECRETS, { namespace, labels }, async (log) => {
        await withWatch(cluster, SECRETS, { namespace, labels }, async (aborted) => {
          await Promise.all([log.synced(), aborted.synced()]);
          aborted.stop();
          const name = uniqueName('unseen');
          await cluster.create(SECRETS, secret({ namespace, name, labels }));
          await log.applied(name);
          expect(aborted.summary).toEqual(['Synced']);
        });
      });
    });

    test('go on when a handler throws', async () => {
      const { cluster, namespace } = current();
      const labels = { watched: uniqueName('thrown') };
      const stop = new AbortController();
      const seen: string[] = [];
      const allSeen = new Promise<void>((resolve) => {
        const handler = (event: WatchEvent<Secret>): void => {
          seen.push(event.type === 'Applied' ? event.object.metadata.name : event.type);
          if (seen.length === 3) resolve();
          throw new Error('a bug of the caller');
        };
        cluster.watch(SECRETS, { namespace, labels }, handler, stop.signal);
      });
      const first = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('first'), labels }));
      const second = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('second'), labels }));
      await allSeen;
      stop.abort();
      // Whether the watch listed before the objects were made or after is left open.
      expect([...seen].sort()).toEqual(['Synced', first.metadata.name, second.metadata.name]);
    });

    test('survive the loss of their connection without missing or repeating anything', async () => {
      const { cluster, namespace, breakConnections } = current();
      if (breakConnections === undefined) return;
      const labels = { watched: uniqueName('lost') };
      const gone = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('gone'), labels }));
      const changed = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('changed'), labels }));
      await withWatch(cluster, SECRETS, { namespace, labels }, async (log) => {
        await log.synced();
        await breakConnections();
        await reconnected(cluster, namespace);
        await cluster.delete(SECRETS, { namespace, name: gone.metadata.name });
        await cluster.update(SECRETS, { ...changed, data: { later: 'dmFsdWU=' } });
        const fresh = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('fresh'), labels }));
        await log.applied(fresh.metadata.name);
        expect(log.summary.slice(3)).toEqual([
          `Deleted ${gone.metadata.name}`,
          `Applied ${changed.metadata.name}`,
          `Applied ${fresh.metadata.name}`,
        ]);
      });
    });
  });
}

/** Updates the secret so many times; answers its states from the one given on. */
async function writeTimes(cluster: Cluster, first: Secret, times: number): Promise<Secret[]> {
  const states = [first];
  for (let i = 0; i < times; i++) {
    const last = states.at(-1) ?? first;
    states.push(await cluster.update(SECRETS, { ...last, data: { count: Buffer.from(String(i)).toString('base64') } }));
  }
  return states;
}

/** Calls may fail while connections break, which is the caller's business; the watches' is to go on. */
async function reconnected(cluster: Cluster, namespace: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await cluster.list(SECRETS, { namespace });
      return;
    } catch (error) {
      if (!isClusterError(error, 'Unavailable')) throw error;
    }
  }
  throw new Error('The cluster answers no call after its connections were cut.');
}
