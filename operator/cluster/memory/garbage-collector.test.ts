import { expect, test } from '@jest/globals';
import type { KubernetesObject, OwnerReference } from '../port.ts';
import { PODS, SECRETS, type Secret } from '../resources.ts';
import { testCluster, testPod, testSecret } from './test-cluster.ts';

test('a pod goes gracefully when its owner does', async () => {
  const { cluster, runner, settle } = testCluster();
  const owner = await cluster.create(SECRETS, testSecret('owner'));
  const pod = testPod('a');
  await cluster.create(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences: [referenceTo(owner)] } });
  await settle();
  await cluster.delete(SECRETS, owner.metadata);
  await settle();
  expect(runner.pod('a').signals).toEqual(['SIGTERM']);
  expect(await cluster.list(PODS)).toEqual([]);
});

test('an object stays while one owner lives, and loses its reference to the dead one', async () => {
  const { cluster, settle } = testCluster();
  const [one, two] = [
    await cluster.create(SECRETS, testSecret('one')),
    await cluster.create(SECRETS, testSecret('two')),
  ];
  await cluster.create(SECRETS, owned('child', referenceTo(one), referenceTo(two)));
  await settle();
  await cluster.delete(SECRETS, { namespace: 'default', name: 'one' });
  await settle();
  const child = await cluster.get(SECRETS, { namespace: 'default', name: 'child' });
  expect(child?.metadata.ownerReferences).toEqual([referenceTo(two)]);
  await cluster.delete(SECRETS, { namespace: 'default', name: 'two' });
  await settle();
  expect(await cluster.list(SECRETS)).toEqual([]);
});

test('an owner of another namespace is none', async () => {
  const { cluster, settle } = testCluster();
  const elsewhere = testSecret('owner');
  const owner = await cluster.create(SECRETS, {
    ...elsewhere,
    metadata: { ...elsewhere.metadata, namespace: 'other' },
  });
  await cluster.create(SECRETS, owned('child', referenceTo(owner)));
  await settle();
  expect(await cluster.list(SECRETS)).toEqual([owner]);
});

test('an owner of a kind that the cluster does not serve gets the benefit of the doubt', async () => {
  const { cluster, settle } = testCluster();
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'operator', uid: 'x' };
  const child = await cluster.create(SECRETS, owned('child', owner));
  await settle();
  expect(await cluster.list(SECRETS)).toEqual([child]);
});

test('an owner that only lost its reference stays, and an object that gains a dead one goes', async () => {
  const { cluster, settle } = testCluster();
  const owner = await cluster.create(SECRETS, testSecret('owner'));
  const child = await cluster.create(SECRETS, owned('child', referenceTo(owner)));
  const freed = await cluster.update(SECRETS, { ...child, metadata: { ...child.metadata, ownerReferences: [] } });
  await cluster.delete(SECRETS, { namespace: 'default', name: 'owner' });
  await settle();
  expect(await cluster.list(SECRETS)).toEqual([freed]);
  await cluster.update(SECRETS, { ...freed, metadata: { ...freed.metadata, ownerReferences: [referenceTo(owner)] } });
  await settle();
  expect(await cluster.list(SECRETS)).toEqual([]);
});

function owned(name: string, ...ownerReferences: OwnerReference[]): Secret {
  const secret = testSecret(name);
  return { ...secret, metadata: { ...secret.metadata, ownerReferences } };
}

function referenceTo({ apiVersion, kind, metadata }: KubernetesObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '' };
}
