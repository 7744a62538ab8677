import { describe, expect, test } from '@jest/globals';
import { EVENTS, SECRETS } from '../resources.ts';
import { event, secret, uniqueName, type CurrentSubject } from './subject.ts';

export function describeObjects(current: CurrentSubject): void {
  describe('objects', () => {
    test('a new object gets a uid, a version and a time, and is then there as answered', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('created');
      const created = await cluster.create(SECRETS, secret({ namespace, name, labels: { a: 'b' } }));
      expect(created).toMatchObject({ apiVersion: 'v1', kind: 'Secret', data: { key: 'dmFsdWU=' } });
      expect(created.metadata).toMatchObject({ namespace, name, labels: { a: 'b' } });
      expect(created.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
      expect(created.metadata.resourceVersion).toMatch(/^[1-9][0-9]*$/);
      expect(created.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(await cluster.get(SECRETS, { namespace, name })).toEqual(created);
    });

    test('come without the record of who set what, which outlives updates all the same', async () => {
      const { cluster, namespace } = current();
      const labels = { recorded: uniqueName('recorded') };
      const created = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('recorded'), labels }));
      const updated = await cluster.update(SECRETS, { ...created, data: { other: 'dmFsdWU=' } });
      const listed = await cluster.list(SECRETS, { namespace, labels });
      for (const object of [created, updated, ...listed]) expect(object.metadata).not.toHaveProperty('managedFields');
    });

    test('a second object of the same name is AlreadyExists', async () => {
      const { cluster, namespace, otherNamespace } = current();
      const name = uniqueName('twice');
      await cluster.create(SECRETS, secret({ namespace, name }));
      await expect(cluster.create(SECRETS, secret({ namespace, name }))).rejects.toMatchObject({
        reason: 'AlreadyExists',
        status: 409,
      });
      await cluster.create(SECRETS, secret({ namespace: otherNamespace, name }));
    });

    test('what is not there is undefined to get and NotFound to update', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('absent');
      expect(await cluster.get(SECRETS, { namespace, name })).toBeUndefined();
      await expect(cluster.update(SECRETS, secret({ namespace, name, resourceVersion: '1' }))).rejects.toMatchObject({
        reason: 'NotFound',
        status: 404,
      });
    });

    test('lists are limited by namespace and by labels, and their items say what they are', async () => {
      const { cluster, namespace, otherNamespace } = current();
      // Other runs may have left objects in namespaces that are still going.
      const group = `${namespace}.${uniqueName('group')}`;
      const make = async (where: string, tier: string): Promise<string> => {
        const name = uniqueName('listed');
        await cluster.create(SECRETS, secret({ namespace: where, name, labels: { group, tier } }));
        return name;
      };
      const front = await make(namespace, 'front');
      const back = await make(namespace, 'back');
      const elsewhere = await make(otherNamespace, 'front');
      const names = async (scope: { namespace?: string; labels?: Record<string, string> }): Promise<string[]> => {
        const objects = await cluster.list(SECRETS, scope);
        for (const object of objects) expect(object).toMatchObject({ apiVersion: 'v1', kind: 'Secret' });
        return objects
          .map(({ metadata }) => metadata.name)
          .filter((name) => name.startsWith('listed-'))
          .sort();
      };
      expect(await names({ namespace, labels: { group } })).toEqual([front, back].sort());
      expect(await names({ namespace, labels: { group, tier: 'front' } })).toEqual([front]);
      expect(await names({ labels: { group } })).toEqual([front, back, elsewhere].sort());
      expect(await names({ namespace: otherNamespace })).toEqual([elsewhere]);
      expect(await names({ namespace, labels: { group: 'none' } })).toEqual([]);
    });

    test('an update replaces the object and changes its version', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(
        SECRETS,
        secret({ namespace, name: uniqueName('updated'), labels: { a: '1' } }),
      );
      const updated = await cluster.update(SECRETS, {
        ...created,
        metadata: { ...created.metadata, labels: { b: '2' } },
        data: { other: 'dmFsdWU=' },
      });
      expect(updated.metadata.labels).toEqual({ b: '2' });
      expect(updated.data).toEqual({ other: 'dmFsdWU=' });
      expect(updated.metadata.uid).toBe(created.metadata.uid);
      expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(created.metadata.resourceVersion));
    });

    test('an update from a stale version is a Conflict and changes nothing', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('stale');
      const created = await cluster.create(SECRETS, secret({ namespace, name }));
      const updated = await cluster.update(SECRETS, { ...created, data: { first: 'dmFsdWU=' } });
      await expect(cluster.update(SECRETS, { ...created, data: { second: 'dmFsdWU=' } })).rejects.toMatchObject({
        reason: 'Conflict',
        status: 409,
      });
      expect(await cluster.get(SECRETS, { namespace, name })).toEqual(updated);
    });

    test('an update without a version is refused', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('unversioned');
      await cluster.create(SECRETS, secret({ namespace, name }));
      await expect(cluster.update(SECRETS, secret({ namespace, name }))).rejects.toMatchObject({ reason: 'Invalid' });
    });

    test('an update that changes nothing keeps the version', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('same') }));
      const updated = await cluster.update(SECRETS, created);
      expect(updated.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
    });

    test('an update of an object that was made anew under its name is a Conflict', async () => {
      const { cluster, namespace } = current();
      const name = uniqueName('anew');
      const first = await cluster.create(SECRETS, secret({ namespace, name }));
      await cluster.delete(SECRETS, { namespace, name });
      const second = await cluster.create(SECRETS, secret({ namespace, name }));
      expect(second.metadata.uid).not.toBe(first.metadata.uid);
      await expect(cluster.update(SECRETS, { ...first, data: {} })).rejects.toMatchObject({ reason: 'Conflict' });
    });

    test('events are counted up by updating them', async () => {
      const { cluster, namespace } = current();
      const about = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('about') }));
      const created = await cluster.create(EVENTS, event({ namespace, name: uniqueName('event') }, about));
      const updated = await cluster.update(EVENTS, { ...created, count: 2, lastTimestamp: '2026-01-01T00:01:00Z' });
      expect(updated).toMatchObject({
        count: 2,
        lastTimestamp: '2026-01-01T00:01:00Z',
        involvedObject: { uid: about.metadata.uid },
      });
    });

    test('a name that is no DNS name is Invalid, with the field named', async () => {
      const { cluster, namespace } = current();
      await expect(cluster.create(SECRETS, secret({ namespace, name: 'Not_A_Name' }))).rejects.toMatchObject({
        reason: 'Invalid',
        status: 422,
        causes: [{ field: 'metadata.name' }],
      });
    });
  });
}
