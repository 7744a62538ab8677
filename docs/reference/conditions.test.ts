import { expect, test } from '@jest/globals';
import type { Condition } from '../../common/api/kinds.ts';
import { REASONS } from '../../common/api/reasons.ts';
import { functionStatus } from '../../operator/controllers/function-status.ts';
import { viewFunction } from '../../operator/controllers/function-view.ts';
import { modelFunction, revisionObservation } from '../../operator/controllers/object-fixtures.ts';
import { revisionStatus } from '../../operator/controllers/revision-status.ts';
import type { StartHistory } from '../../operator/pods/start-history.ts';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/conditions.md');

test('lists exactly the closed list of reasons', () => {
  expect(tableBelow(page, '## Reasons')).toEqual(Object.entries(REASONS));
});

test('describes the conditions of a function', () => {
  const view = viewFunction(modelFunction(), []);
  const statusWith = (refusal: Parameters<typeof functionStatus>[0]['refusal']): readonly Condition[] =>
    functionStatus({ view, refusal, serviceRefusal: undefined, url: () => '', now: 0 }).conditions ?? [];
  const found = [...statusWith(undefined), ...statusWith({ reason: 'SpecInvalid', message: '' })];
  expect(documented('## ModelFunction')).toEqual(typesOf(found));
});

test('describes the conditions of a revision', () => {
  const broken: StartHistory = {
    failures: 9,
    last: { reason: 'ModelNotFound', message: '', permanent: true, at: 0 },
    retryAt: 0,
  };
  const observation = revisionObservation({ desired: 1 });
  const found = [observation, { ...observation, history: broken }].flatMap(
    (each) => revisionStatus(each, 0).conditions ?? [],
  );
  expect([...documented('## ModelRevision'), 'Reconciling', 'Stalled'].sort()).toEqual(typesOf(found));
});

function documented(heading: string): string[] {
  return tableBelow(page, heading)
    .map(([type = '']) => type)
    .sort();
}

function typesOf(conditions: readonly Condition[]): string[] {
  return [...new Set(conditions.map(({ type }) => type))].sort();
}
