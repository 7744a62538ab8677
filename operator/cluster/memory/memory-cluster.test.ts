import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../../common/platform/clock.ts';
import { describeClusterConformance } from '../conformance/describe-cluster-conformance.ts';
import type { KubernetesObject, Resource, WatchEvent } from '../port.ts';
import { SECRETS, type Secret } from '../resources.ts';
import type { DeliveryFault } from './faults.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { PRODUCT_RESOURCES } from './product-resources.ts';
import { testCluster, testSecret } from './test-cluster.ts';

describeClusterConformance('The in-memory cluster', () => {
  const cuts: DeliveryFault[] = [];
  const cluster = new MemoryCluster({
    clock: systemClock,
    random: Math.random,
    resources: PRODUCT_RESOURCES,
    faults: { delivery: () => cuts.pop() },
    // The suite throws from a handler on purpose.
    onHandlerError: () => undefined,
  });
  return Promise.resolve({
    cluster,
    namespace: 'one',
    otherNamespace: 'other',
    breakConnections: () => Promise.resolve(void cuts.push({ type: 'Cut', milliseconds: 1 })),
    stop: () => cluster.close(),
  });
});

const KEY = { namespace: 'default', name: 'a' };

describe('the in-memory cluster', () => {
  test('hands out objects that nobody can change, and keeps none that somebody can', async () => {
    const { cluster } = testCluster();
    const given = { ...testSecret('a', { key: 'value' }), data: { key: 'dmFsdWU=' } };
    const created = await cluster.create(SECRETS, given);
    given.data.key = 'changed';
    expect(() => Object.assign(created.data ?? {}, { key: 'changed' })).toThrow(TypeError);
    expect(() => Object.assign(created.metadata, { labels: {} })).toThrow(TypeError);
    expect((await cluster.get(SECRETS, KEY))?.data).toEqual({ key: 'dmFsdWU=' });
  });

  test('tells its watches nothing from within a write', async () => {
    const { cluster, settle } = testCluster();
    const types: string[] = [];
    cluster.watch(SECRETS, {}, ({ type }) => types.push(type), new AbortController().signal);
    const write = cluster.create(SECRETS, testSecret('a'));
    expect(types).toEqual([]);
    await write;
    await settle();
    expect(types).toEqual(['Synced', 'Applied']);
  });

  test('keeps the order of changes for a watch that writes from its handler', async () => {
    const { cluster, settle } = testCluster();
    const seen: string[] = [];
    const handle = (event: WatchEvent<Secret>): void => {
      if (event.type !== 'Applied') return;
      seen.push(event.object.metadata.name);
      if (event.object.metadata.name === 'a') void cluster.create(SECRETS, testSecret('c'));
    };
    cluster.watch(SECRETS, {}, handle, new AbortController().signal);
    await cluster.create(SECRETS, testSecret('a'));
    await cluster.create(SECRETS, testSecret('b'));
    await settle();
    expect([...seen].sort()).toEqual(['a', 'b', 'c']);
    expect(seen[0]).toBe('a');
  });

  test('drops the metadata that is not for clients to set', async () => {
    const { cluster } = testCluster();
    const { metadata, ...rest } = testSecret('a');
    const forged = { ...metadata, uid: 'mine', generation: 7, creationTimestamp: '2000-01-01T00:00:00Z' };
    const created = await cluster.create(SECRETS, { ...rest, metadata: forged });
    expect(created.metadata).toEqual({
      ...metadata,
      uid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
    });
    const updated = await cluster.update(SECRETS, {
      ...created,
      metadata: {
        ...created.metadata,
        creationTimestamp: '2000-01-01T00:00:00Z',
        deletionTimestamp: '2000-01-01T00:00:00Z',
      },
    });
    expect(updated).toEqual(created);
  });

  test.each([
    ['no metadata', {}],
    ['null for metadata', { metadata: null }],
    ['a list for metadata', { metadata: [] }],
  ])('refuses an object with %s', async (_name, metadata) => {
    const { cluster } = testCluster();
    const object = { apiVersion: 'v1', kind: 'Secret', ...metadata } as unknown as Secret;
    await expect(cluster.create(SECRETS, object)).rejects.toMatchObject({ reason: 'Invalid', status: 422 });
  });

  test('takes labels that are null, as YAML has it where nothing follows, for none', async () => {
    const { cluster } = testCluster();
    const secret = testSecret('a');
    const object = { ...secret, metadata: { ...secret.metadata, labels: null } } as unknown as Secret;
    expect((await cluster.create(SECRETS, object)).metadata).not.toHaveProperty('labels');
  });

  test('refuses what is too large for etcd', async () => {
    const { cluster } = testCluster();
    await expect(cluster.create(SECRETS, testSecret('a', { key: 'x'.repeat(1.5e6) }))).rejects.toMatchObject({
      reason: 'Invalid',
      message: expect.stringContaining('Too long'),
    });
  });

  test('takes no new finalizer for an object that is being deleted', async () => {
    const { cluster } = testCluster();
    const secret = testSecret('a');
    await cluster.create(SECRETS, { ...secret, metadata: { ...secret.metadata, finalizers: ['pilotlight.dev/a'] } });
    await cluster.delete(SECRETS, KEY);
    const held = (await cluster.get(SECRETS, KEY)) ?? secret;
    const finalizers = ['pilotlight.dev/a', 'pilotlight.dev/b'];
    await expect(
      cluster.update(SECRETS, { ...held, metadata: { ...held.metadata, finalizers } }),
    ).rejects.toMatchObject({ reason: 'Invalid', causes: [{ field: 'metadata.finalizers' }] });
  });

  test('says which resource it does not serve', async () => {
    const { cluster } = testCluster();
    const unknown: Resource<KubernetesObject> = { apiVersion: 'x/v1', kind: 'Y', plural: 'ys', namespaced: true };
    await expect(cluster.list(unknown)).rejects.toMatchObject({ reason: 'Unavailable', status: 404 });
    await expect(cluster.patchStatus(SECRETS, KEY, {})).rejects.toMatchObject({ reason: 'Unavailable', status: 404 });
    await expect(cluster.scale(SECRETS, KEY, 1)).rejects.toMatchObject({ reason: 'Unavailable', status: 404 });
  });

  test('answers nothing and reports nothing once it is closed', async () => {
    const { cluster, clock } = testCluster();
    const types: string[] = [];
    cluster.watch(SECRETS, {}, ({ type }) => types.push(type), new AbortController().signal);
    await cluster.close();
    await expect(cluster.create(SECRETS, testSecret('a'))).rejects.toMatchObject({ reason: 'Unavailable' });
    expect(types).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});
