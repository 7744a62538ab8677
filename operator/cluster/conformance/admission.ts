/** The cases of our own evaluator, held against the adapter: what the CRDs take and refuse is the same wherever a manifest is applied. */
import { describe, expect, test } from '@jest/globals';
import { MODEL_FUNCTION_CASES } from '../../../common/api/admission/model-function.cases.ts';
import {
  MODEL_REVISION_SPEC,
  MODEL_REVISION_UPDATE_CASES,
} from '../../../common/api/admission/model-revision.cases.ts';
import type { FieldCause } from '../port.ts';
import { FUNCTIONS, REVISIONS, type CurrentSubject } from './subject.ts';

export function describeAdmission(current: CurrentSubject): void {
  describe('admission of a ModelFunction', () => {
    test.each(MODEL_FUNCTION_CASES)('$title', async ({ name, spec, causes }) => {
      const { cluster, otherNamespace: namespace } = current();
      const { apiVersion, kind } = FUNCTIONS;
      const object = { apiVersion, kind, metadata: { namespace, name }, spec: { ...spec } };
      await expectAdmission(cluster.create(FUNCTIONS, object), causes);
      if (causes.length === 0) await cluster.delete(FUNCTIONS, { namespace, name });
    });
  });

  describe('admission of a change of a ModelRevision', () => {
    test.each(MODEL_REVISION_UPDATE_CASES)('$title', async ({ change, causes }) => {
      const { cluster, otherNamespace: namespace } = current();
      const { apiVersion, kind } = REVISIONS;
      const name = 'digits-00001';
      const object = { apiVersion, kind, metadata: { namespace, name }, spec: { ...MODEL_REVISION_SPEC } };
      const created = await cluster.create(REVISIONS, object);
      try {
        await expectAdmission(cluster.update(REVISIONS, { ...created, spec: { ...created.spec, ...change } }), causes);
      } finally {
        await cluster.delete(REVISIONS, { namespace, name });
      }
    });
  });
}

async function expectAdmission(write: Promise<unknown>, causes: readonly FieldCause[]): Promise<void> {
  if (causes.length === 0) await write;
  else {
    await expect(write).rejects.toMatchObject({
      reason: 'Invalid',
      causes: expect.arrayContaining(causes.map((cause) => expect.objectContaining(cause) as unknown)) as unknown,
    });
  }
}
