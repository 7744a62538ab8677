import { describe, expect, test } from '@jest/globals';
import type { ModelFunctionSpec, ModelRevision } from '../../common/api/kinds.ts';
import { modelFunction, modelRevision, proven } from './object-fixtures.ts';
import { planHistory, planRevisions } from './plan-revisions.ts';

const batching = { maxBatchSize: 8 };

interface Case {
  readonly spec?: Partial<ModelFunctionSpec>;
  readonly latestCreated?: string;
  readonly revisions: ModelRevision[];
  readonly create?: string;
  readonly latestReady?: string;
}

const CASES: Record<string, Case> = {
  'the first': { revisions: [], create: 'digits-00001' },
  'none when nothing changed': { revisions: [modelRevision(1)] },
  'one when what the user set changed': { spec: { batching }, revisions: [modelRevision(1)], create: 'digits-00002' },
  'one when a field is set to its default': {
    spec: { batching: { maxBatchSize: 32 } },
    revisions: [modelRevision(1)],
    create: 'digits-00002',
  },
  'one when a field is taken away': {
    revisions: [modelRevision(1, { template: { batching } })],
    create: 'digits-00002',
  },
  'one for a change back to what an older one had': {
    revisions: [modelRevision(1), modelRevision(2, { template: { batching } })],
    create: 'digits-00003',
  },
  'none for the function’s part': { spec: { timeoutSeconds: 5 }, revisions: [modelRevision(1)] },
  'a higher number than one that was deleted': {
    spec: { batching },
    latestCreated: 'digits-00007',
    revisions: [modelRevision(1)],
    create: 'digits-00008',
  },
  'after 99999': { spec: { batching }, revisions: [modelRevision(99_999)], create: 'digits-100000' },
  'the newest that is proven is the latest ready': {
    revisions: [modelRevision(3), modelRevision(1, { status: proven }), modelRevision(2, { status: proven })],
    latestReady: 'digits-00002',
  },
};

describe('the revision to create is', () => {
  test.each(Object.entries(CASES))('%s', (_name, { spec, latestCreated, revisions, create, latestReady }) => {
    const fn = modelFunction(spec, latestCreated === undefined ? {} : { latestCreatedRevision: latestCreated });
    const plan = planRevisions(fn, revisions);
    expect(plan.create?.name).toBe(create);
    if (latestReady !== undefined) expect(plan.latestReady?.metadata.name).toBe(latestReady);
  });

  test('made of what the user set and nothing else', () => {
    const resources = { limits: { cpu: 1 } };
    expect(planRevisions(modelFunction({ batching, resources }), []).create?.template).toEqual({
      model: { uri: 'https://models/digits.onnx' },
      batching,
      resources,
    });
  });
});

test('history keeps the newest revisions without traffic, and drops no revision that has pods', () => {
  const revisions = [1, 2, 3, 4, 5, 6].map((generation) => modelRevision(generation));
  const drop = (limit: number, withPods: string[] = []): string[] =>
    planHistory(revisions, {
      kept: new Set(['digits-00006', 'digits-00002']),
      withPods: new Set(withPods),
      limit,
    }).map(({ metadata }) => metadata.name);
  expect(drop(2)).toEqual(['digits-00003', 'digits-00001']);
  expect(drop(0)).toEqual(['digits-00005', 'digits-00004', 'digits-00003', 'digits-00001']);
  expect(drop(2, ['digits-00003'])).toEqual(['digits-00001']);
  expect(drop(100)).toEqual([]);
});
