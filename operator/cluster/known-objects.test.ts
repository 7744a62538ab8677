import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { KubernetesObject, WatchEvent } from './port.ts';
import { KnownObjects } from './known-objects.ts';

function object(name: string, uid: string, resourceVersion: string): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, uid, resourceVersion } };
}

function summary(events: readonly WatchEvent<KubernetesObject>[]): string[] {
  return events.map((event) =>
    event.type === 'Synced' ? event.type : `${event.type} ${event.object.metadata.name} ${event.object.metadata.uid}`,
  );
}

test('a list is reported as its differences', () => {
  const known = new KnownObjects();
  known.replace([
    object('same', '1', '1'),
    object('changed', '2', '1'),
    object('gone', '3', '1'),
    object('anew', '4', '1'),
  ]);
  const events = known.replace([
    object('same', '1', '1'),
    object('changed', '2', '2'),
    object('anew', '5', '3'),
    object('new', '6', '4'),
  ]);
  expect(summary(events)).toEqual([
    'Deleted gone 3',
    'Applied changed 2',
    'Deleted anew 4',
    'Applied anew 5',
    'Applied new 6',
  ]);
});

test('whatever is listed, changed and removed, whoever follows the events holds what is there', () => {
  const item = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    uid: fc.constantFrom('1', '2'),
    version: fc.nat(3),
  });
  const list = fc.uniqueArray(item, { selector: ({ name }) => name });
  const step = fc.oneof(
    list.map((objects) => ({ type: 'list' as const, objects })),
    item.map((it) => ({ type: 'apply' as const, it })),
    item.map((it) => ({ type: 'remove' as const, it })),
  );
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const known = new KnownObjects();
      const truth = new Map<string, KubernetesObject>();
      const follower = new Map<string, KubernetesObject>();
      const make = (it: { name: string; uid: string; version: number }): KubernetesObject =>
        object(it.name, it.uid, String(it.version));
      for (const it of steps) {
        let events: WatchEvent<KubernetesObject>[];
        if (it.type === 'list') {
          truth.clear();
          for (const listed of it.objects) truth.set(listed.name, make(listed));
          events = known.replace([...truth.values()]);
        } else if (it.type === 'apply') {
          truth.set(it.it.name, make(it.it));
          events = known.apply(make(it.it));
        } else {
          truth.delete(it.it.name);
          events = known.remove(make(it.it));
        }
        for (const event of events) {
          if (event.type === 'Applied') {
            const before = follower.get(event.object.metadata.name);
            expect(before).not.toEqual(event.object);
            if (before !== undefined) expect(before.metadata.uid).toBe(event.object.metadata.uid);
            follower.set(event.object.metadata.name, event.object);
          } else if (event.type === 'Deleted') {
            expect(follower.delete(event.object.metadata.name)).toBe(true);
          }
        }
        expect(follower).toEqual(truth);
      }
    }),
  );
});
