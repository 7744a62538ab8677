import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ModelFunctionSpec, ModelRevision, TrafficTarget } from '../../common/api/kinds.ts';
import { failed, modelFunction, modelRevision, proven } from './object-fixtures.ts';
import { viewFunction } from './function-view.ts';

const first = modelRevision(1, { status: proven });
const second = modelRevision(2);
const recreate: Partial<ModelFunctionSpec> = { rollout: { strategy: 'Recreate' } };

interface Case {
  readonly spec?: Partial<ModelFunctionSpec>;
  readonly before?: TrafficTarget[];
  readonly revisions: ModelRevision[];
  readonly want: Record<string, number>;
  readonly missing?: string[];
}
const CASES: Record<string, Case> = {
  'no revision': { revisions: [], want: {} },
  'the only revision, ready or not': { revisions: [second], want: { 'digits-00002': 100 } },
  'the old one while the new one is not ready': { revisions: [first, second], want: { 'digits-00001': 100 } },
  'the new one from when it is ready': {
    revisions: [first, modelRevision(2, { status: proven })],
    want: { 'digits-00002': 100 },
  },
  'the new one at once with Recreate': { spec: recreate, revisions: [first, second], want: { 'digits-00002': 100 } },
  'the old one again with Recreate when the new one failed': {
    spec: recreate,
    revisions: [first, modelRevision(2, { status: failed })],
    want: { 'digits-00001': 100 },
  },
  'a failed one with Recreate that was ready once': {
    spec: recreate,
    revisions: [
      first,
      modelRevision(2, {
        status: { conditions: [...(failed.conditions ?? []).slice(0, 1), ...(proven.conditions ?? []).slice(1)] },
      }),
    ],
    want: { 'digits-00002': 100 },
  },
  'shares of named ones and the latest': {
    spec: {
      traffic: [
        { revision: 'digits-00002', percent: 30 },
        { revision: 'latest', percent: 70 },
      ],
    },
    revisions: [first, second],
    want: { 'digits-00002': 30, 'digits-00001': 70 },
  },
  'as before when a name does not exist': {
    spec: { traffic: [{ revision: 'digits-00009', percent: 100 }] },
    before: [{ revision: 'digits-00002', percent: 100 }],
    revisions: [first, second],
    want: { 'digits-00002': 100 },
    missing: ['digits-00009'],
  },
  'the latest when a name does not exist and neither does what was before': {
    spec: { traffic: [{ revision: 'digits-00009', percent: 100 }] },
    before: [{ revision: 'digits-00007', percent: 100 }],
    revisions: [first, second],
    want: { 'digits-00001': 100 },
    missing: ['digits-00009'],
  },
};

describe('traffic goes to', () => {
  test.each(Object.entries(CASES))('%s', (_name, { spec, before, revisions, want, missing = [] }) => {
    const view = viewFunction(modelFunction(spec, before === undefined ? {} : { traffic: before }), revisions);
    expect(Object.fromEntries(view.traffic.map(({ revision, percent }) => [revision, percent]))).toEqual(want);
    expect(view.missing).toEqual(missing);
  });

  test('100 percent of something, whatever the spec names', () => {
    const names = fc.constantFrom('latest', 'digits-00001', 'digits-00002', 'digits-00009');
    fc.assert(
      fc.property(fc.array(names, { minLength: 1, maxLength: 5 }), fc.boolean(), (targets, isProven) => {
        const share = Math.floor(100 / targets.length);
        const traffic = targets.map((revision, index) => ({
          revision,
          percent: index === 0 ? 100 - share * (targets.length - 1) : share,
        }));
        const view = viewFunction(modelFunction({ traffic }), [isProven ? first : modelRevision(1), second]);
        expect(view.traffic.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
      }),
    );
  });
});

test('only revisions with traffic or a tag and the latest created are reachable', () => {
  const traffic = [
    { revision: 'latest', percent: 100 },
    { revision: 'digits-00001', percent: 0, tag: 'old' },
  ];
  const revisions = [1, 2, 3, 4].map((generation) =>
    modelRevision(generation, generation === 3 ? { status: proven } : {}),
  );
  const { reachable } = viewFunction(modelFunction({ traffic }), revisions);
  expect([...reachable].sort()).toEqual(['digits-00001', 'digits-00003', 'digits-00004']);
});

test('revisions of a former function of the name do not count', () => {
  const former = { ...first, metadata: { ...first.metadata, ownerReferences: [] } };
  const deleted = { ...first, metadata: { ...first.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
  expect(viewFunction(modelFunction(), [former, deleted]).revisions).toEqual([]);
});
