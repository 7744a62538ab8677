import { describe, expect, test } from '@jest/globals';
import { SECRETS, type Secret } from '../resources.ts';
import { ownerReference, secret, uniqueName, type CurrentSubject } from './subject.ts';
import { withWatch } from './watch-log.ts';

const FINALIZER = 'pilotlight.dev/conformance';

export function describeDeletion(current: CurrentSubject): void {
  describe('deletion', () => {
    test('removes the object; a second one is NotFound', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('deleted') };
      await cluster.create(SECRETS, secret(key));
      await cluster.delete(SECRETS, key);
      expect(await cluster.get(SECRETS, key)).toBeUndefined();
      await expect(cluster.delete(SECRETS, key)).rejects.toMatchObject({ reason: 'NotFound', status: 404 });
    });

    test.each(['uid', 'resourceVersion'] as const)(
      'with another %s is a Conflict and deletes nothing',
      async (field) => {
        const { cluster, namespace } = current();
        const key = { namespace, name: uniqueName('guarded') };
        const { metadata } = await cluster.create(SECRETS, secret(key));
        const other = field === 'uid' ? '00000000-0000-4000-8000-000000000000' : '1';
        await expect(cluster.delete(SECRETS, key, { [field]: other })).rejects.toMatchObject({
          reason: 'Conflict',
          status: 409,
        });
        expect(await cluster.get(SECRETS, key)).toBeDefined();
        const right = metadata[field];
        await cluster.delete(SECRETS, key, right === undefined ? {} : { [field]: right });
        expect(await cluster.get(SECRETS, key)).toBeUndefined();
      },
    );

    test('waits for finalizers, and comes with the update that takes off the last one', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('finalized') };
      await cluster.create(SECRETS, secret({ ...key, finalizers: [FINALIZER, `${FINALIZER}-too`] }));
      await cluster.delete(SECRETS, key);
      const held = await mustGet(current, key);
      expect(held.metadata.deletionTimestamp).toMatch(/^\d{4}-/);
      await cluster.delete(SECRETS, key);
      const one = await cluster.update(SECRETS, { ...held, metadata: { ...held.metadata, finalizers: [FINALIZER] } });
      expect(await cluster.get(SECRETS, key)).toEqual(one);
      await cluster.update(SECRETS, { ...one, metadata: { ...one.metadata, finalizers: [] } });
      expect(await cluster.get(SECRETS, key)).toBeUndefined();
    });

    test('of an owner takes its dependants along, and theirs', async () => {
      const { cluster, namespace } = current();
      const owner = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('owner') }));
      const child = await cluster.create(
        SECRETS,
        secret({ namespace, name: uniqueName('child'), ownerReferences: [ownerReference(owner)] }),
      );
      const grandchild = await cluster.create(
        SECRETS,
        secret({ namespace, name: uniqueName('grandchild'), ownerReferences: [ownerReference(child)] }),
      );
      const bystander = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('bystander') }));
      await withWatch(cluster, SECRETS, { namespace }, async (log) => {
        await log.synced();
        await cluster.delete(SECRETS, { namespace, name: owner.metadata.name });
        await log.deleted(child.metadata.name);
        await log.deleted(grandchild.metadata.name);
      });
      expect(await cluster.get(SECRETS, { namespace, name: bystander.metadata.name })).toEqual(bystander);
    });

    test('comes to an object whose owner has another uid', async () => {
      const { cluster, namespace } = current();
      const owner = await cluster.create(SECRETS, secret({ namespace, name: uniqueName('reborn') }));
      const formerOwner = { ...ownerReference(owner), uid: '00000000-0000-4000-8000-000000000000' };
      const orphan = { namespace, name: uniqueName('orphan') };
      await withWatch(cluster, SECRETS, { namespace }, async (log) => {
        await log.synced();
        await cluster.create(SECRETS, secret({ ...orphan, ownerReferences: [formerOwner] }));
        await log.deleted(orphan.name);
      });
      expect(await cluster.get(SECRETS, { namespace, name: owner.metadata.name })).toEqual(owner);
    });
  });
}

async function mustGet(current: CurrentSubject, key: { namespace: string; name: string }): Promise<Secret> {
  const object = await current().cluster.get(SECRETS, key);
  if (object === undefined) throw new Error(`Secret ${key.name} is gone.`);
  return object;
}
