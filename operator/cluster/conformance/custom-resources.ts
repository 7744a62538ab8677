import { describe, expect, test } from '@jest/globals';
import { FUNCTIONS, modelFunction, modelRevision, REVISIONS, uniqueName, type CurrentSubject } from './subject.ts';

export function describeCustomResources(current: CurrentSubject): void {
  describe('custom resources', () => {
    test('get the defaults of their schema, and keep unset what has none', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(FUNCTIONS, modelFunction({ namespace, name: uniqueName('defaulted') }));
      expect(created.spec).toMatchObject({
        scaling: { minReplicas: 0, maxReplicas: 10, stableWindowSeconds: 60 },
        timeoutSeconds: 60,
      });
      expect(created.spec['model']).toEqual({ uri: 'https://example.invalid/model.onnx' });
      expect(created.spec).not.toHaveProperty('runtime');
      expect(created.metadata.generation).toBe(1);
    });

    test('lose the fields that the schema does not know', async () => {
      const { cluster, namespace } = current();
      const created = await cluster.create(
        FUNCTIONS,
        modelFunction({ namespace, name: uniqueName('pruned') }, { speling: true, queue: { unknown: 1 } }),
      );
      expect(created.spec).not.toHaveProperty('speling');
      expect(created.spec['queue']).not.toHaveProperty('unknown');
    });

    test.each([
      ['a number out of bounds', { timeoutSeconds: 0 }, 'spec.timeoutSeconds'],
      ['a wrong type', { timeoutSeconds: 'long' }, 'spec.timeoutSeconds'],
      ['an unknown word', { visibility: 'Everywhere' }, 'spec.visibility'],
      ['a missing field', { model: {} }, 'spec.model.uri'],
      ['a broken rule', { scaling: { minReplicas: 5, maxReplicas: 2 } }, 'spec.scaling.minReplicas'],
    ])('are Invalid with %s, and the field is named', async (_name, spec, field) => {
      const { cluster, namespace } = current();
      const name = uniqueName('invalid');
      await expect(cluster.create(FUNCTIONS, modelFunction({ namespace, name }, spec))).rejects.toMatchObject({
        reason: 'Invalid',
        status: 422,
        causes: expect.arrayContaining([expect.objectContaining({ field })]),
      });
      expect(await cluster.get(FUNCTIONS, { namespace, name })).toBeUndefined();
    });

    test('count a generation up for their spec, not for metadata or status', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('generation') };
      const created = await cluster.create(FUNCTIONS, modelFunction(key));
      const labelled = await cluster.update(FUNCTIONS, {
        ...created,
        metadata: { ...created.metadata, labels: { a: 'b' } },
      });
      expect(labelled.metadata.generation).toBe(1);
      const observed = await cluster.patchStatus(FUNCTIONS, key, { observedGeneration: 1 });
      expect(observed.metadata.generation).toBe(1);
      const changed = await cluster.update(FUNCTIONS, { ...observed, spec: { ...observed.spec, timeoutSeconds: 61 } });
      expect(changed.metadata.generation).toBe(2);
    });

    test('keep their status through an update, and lose the one they are created with', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('status') };
      const created = await cluster.create(FUNCTIONS, { ...modelFunction(key), status: { url: 'http://forged' } });
      expect(created.status).toBeUndefined();
      const observed = await cluster.patchStatus(FUNCTIONS, key, { url: 'http://right' });
      const updated = await cluster.update(FUNCTIONS, { ...observed, status: { url: 'http://forged' } });
      expect(updated.status).toEqual({ url: 'http://right' });
      expect(updated.metadata.resourceVersion).toBe(observed.metadata.resourceVersion);
    });

    test('merge a status patch, where null removes a field, and touch nothing else', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('patched') };
      const created = await cluster.create(FUNCTIONS, modelFunction(key));
      await cluster.patchStatus(FUNCTIONS, key, { url: 'http://a', replicas: 1 });
      const patched = await cluster.patchStatus(FUNCTIONS, key, { url: null, desiredReplicas: 2 });
      expect(patched.status).toEqual({ replicas: 1, desiredReplicas: 2 });
      expect(patched.spec).toEqual(created.spec);
    });

    test('take a conditional status patch only at that version', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('conditional') };
      const created = await cluster.create(FUNCTIONS, modelFunction(key));
      const resourceVersion = created.metadata.resourceVersion ?? '';
      await cluster.patchStatus(FUNCTIONS, { ...key, resourceVersion }, { replicas: 1 });
      await expect(cluster.patchStatus(FUNCTIONS, { ...key, resourceVersion }, { replicas: 2 })).rejects.toMatchObject({
        reason: 'Conflict',
        status: 409,
      });
      expect((await cluster.get(FUNCTIONS, key))?.status).toEqual({ replicas: 1 });
    });

    test('refuse a status that breaks the schema, and one of nothing', async () => {
      const { cluster, namespace } = current();
      const key = { namespace, name: uniqueName('refused') };
      await cluster.create(FUNCTIONS, modelFunction(key));
      await expect(cluster.patchStatus(FUNCTIONS, key, { replicas: 'many' })).rejects.toMatchObject({
        reason: 'Invalid',
        causes: expect.arrayContaining([expect.objectContaining({ field: 'status.replicas' })]),
      });
      await expect(
        cluster.patchStatus(FUNCTIONS, { namespace, name: uniqueName('absent') }, { replicas: 1 }),
      ).rejects.toMatchObject({ reason: 'NotFound' });
    });

    test('are scaled by their subresource, which counts the generation up', async () => {
      const { cluster, namespace } = current();
      const functionName = uniqueName('scaled');
      const key = { namespace, name: `${functionName}-00001` };
      const created = await cluster.create(REVISIONS, modelRevision(key, functionName));
      expect(created.spec['replicas']).toBe(0);
      await cluster.scale(REVISIONS, key, 3);
      const scaled = await cluster.get(REVISIONS, key);
      expect(scaled?.spec).toEqual({ ...created.spec, replicas: 3 });
      expect(scaled?.metadata.generation).toBe(2);
      await expect(cluster.scale(REVISIONS, key, -1)).rejects.toMatchObject({ reason: 'Invalid' });
      await expect(cluster.scale(REVISIONS, { namespace, name: 'absent-00001' }, 1)).rejects.toMatchObject({
        reason: 'NotFound',
      });
    });

    test('refuse a change of what a revision froze, but not of its replicas', async () => {
      const { cluster, namespace } = current();
      const functionName = uniqueName('frozen');
      const created = await cluster.create(
        REVISIONS,
        modelRevision({ namespace, name: `${functionName}-00001` }, functionName),
      );
      const template = { model: { uri: 'https://example.invalid/other.onnx' } };
      await expect(
        cluster.update(REVISIONS, { ...created, spec: { ...created.spec, template } }),
      ).rejects.toMatchObject({
        reason: 'Invalid',
        causes: expect.arrayContaining([expect.objectContaining({ field: 'spec.template' })]),
      });
      const scaled = await cluster.update(REVISIONS, { ...created, spec: { ...created.spec, replicas: 2 } });
      expect(scaled.spec['replicas']).toBe(2);
    });
  });
}
