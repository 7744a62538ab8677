/** What people do by hand to revisions and pods is put right, or said. Services and NetworkPolicies have tests of their own. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LABELS } from '../../common/api/names.ts';
import type { ModelRevision } from '../../common/api/kinds.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

const key = { namespace: NAMESPACE, name: 'digits-00001' };

let loop: ControlLoop;

beforeEach(async () => {
  loop = await new ControlLoop().start();
});

afterEach(() => loop.close());

async function serving(spec: Parameters<ControlLoop['apply']>[1] = {}): Promise<void> {
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 }, ...spec });
  await loop.announce('digits-00001-0');
}

const withoutVersion = ({ metadata, ...rest }: ModelRevision): object => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: '' },
});

describe('a revision', () => {
  test.each<[string, Partial<ModelRevision['metadata']>]>([
    ['its labels', { labels: {} }],
    ['its owner', { ownerReferences: [] }],
  ])('gets back %s and serves on', async (_name, without) => {
    await serving();
    const before = await loop.revision(key.name);
    const route = loop.routes.get('digits');
    await loop.cluster.update(MODEL_REVISIONS, { ...before, metadata: { ...before.metadata, ...without } });
    await loop.walk(5);
    expect(withoutVersion(await loop.revision(key.name))).toEqual(withoutVersion(before));
    expect(await loop.revisions()).toEqual(['digits-00001']);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect(loop.routes.get('digits')).toEqual(route);
  });

  test('that an orphaning deletion left is taken by the next function of the name, as it is', async () => {
    await serving();
    const { metadata, ...revision } = await loop.revision(key.name);
    await loop.cluster.update(MODEL_REVISIONS, { ...revision, metadata: { ...metadata, ownerReferences: [] } });
    await loop.restart(async () => {
      const orphan = await loop.revision(key.name);
      await loop.cluster.update(MODEL_REVISIONS, { ...orphan, metadata: { ...orphan.metadata, ownerReferences: [] } });
      await loop.cluster.delete(MODEL_FUNCTIONS, { namespace: NAMESPACE, name: 'digits' });
    });
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    expect(await loop.revisions()).toEqual(['digits-00001']);
    expect((await loop.revision(key.name)).metadata.ownerReferences).toMatchObject([
      { uid: (await loop.function('digits')).metadata.uid },
    ]);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });

  test('keeps its spec, of which only the replicas can be edited, and these are put right', async () => {
    await serving();
    const revision = await loop.revision(key.name);
    const { template, resolved } = revision.spec;
    for (const spec of [
      { ...revision.spec, template: { ...template, batching: { maxBatchSize: 1 } } },
      { ...revision.spec, resolved: { ...resolved, pod: { priorityClassName: 'high' } } },
      { ...revision.spec, functionName: 'other' },
    ]) {
      await expect(loop.cluster.update(MODEL_REVISIONS, { ...revision, spec })).rejects.toMatchObject({
        reason: 'Invalid',
      });
    }
    await loop.cluster.scale(MODEL_REVISIONS, key, 7);
    await loop.settle();
    await loop.walk(1);
    expect((await loop.revision(key.name)).spec.replicas).toBe(1);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });

  test('that is deleted is followed by one of another name, which takes the traffic when it is ready', async () => {
    await serving();
    await loop.cluster.delete(MODEL_REVISIONS, key);
    await loop.settle();
    expect(await loop.revisions()).toEqual(['digits-00002']);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^Unknown Starting/);
    await loop.announce('digits-00002-0');
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^True/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00002', percent: 100 }]);
  });

  test('that is deleted though the spec sends traffic to it is missed by name, and the rest serves', async () => {
    const traffic = [
      { revision: 'digits-00001', percent: 50 },
      { revision: 'latest', percent: 50 },
    ];
    await serving();
    await loop.apply('digits', {
      scaling: { ...SHORT_SCALING, minReplicas: 1 },
      batching: { maxBatchSize: 1 },
      traffic,
    });
    await loop.announce('digits-00002-0');
    await loop.cluster.delete(MODEL_REVISIONS, key);
    await loop.settle();
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False RevisionMissing: .*digits-00001/);
    expect(loop.routes.get('digits')?.traffic).toContainEqual({ revision: 'digits-00002', percent: 50 });
    expect(await loop.pods()).toEqual(['digits-00002-0']);
  });
});

describe('a pod', () => {
  test('that lost its labels is replaced and left to whoever took them', async () => {
    await serving();
    const pod = await loop.pod('digits-00001-0');
    await loop.cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, labels: { debug: 'yes' } } });
    await loop.settle();
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
    await loop.announcePod({ ...pod, metadata: { ...(await loop.pod('digits-00001-1')).metadata } });
    expect(loop.routes.get('digits')?.revisions[0]?.pods).toMatchObject([{ name: 'digits-00001-1', state: 'Ready' }]);
  });

  test('that lost its owner is replaced, named in the status, and goes with its revision', async () => {
    await serving();
    const pod = await loop.pod('digits-00001-0');
    await loop.cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences: [] } });
    await loop.settle();
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
    expect(await loop.condition('revision', key.name, 'PodsHealthy')).toMatch(/^False NotOwned: Pod digits-00001-0 /);
    await loop.delete('digits');
    await loop.walk(1);
    expect(await loop.pods()).toEqual([]);
  });

  test('whose function’s label alone was edited serves on', async () => {
    await serving();
    const pod = await loop.pod('digits-00001-0');
    const labels = { ...pod.metadata.labels, [LABELS.function]: 'other' };
    await loop.cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, labels } });
    await loop.walk(5);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect(loop.routes.get('digits')?.revisions[0]?.pods).toMatchObject([{ name: 'digits-00001-0', state: 'Ready' }]);
  });
});
