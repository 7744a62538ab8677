import { expect, test } from '@jest/globals';
import type { ModelRevisionStatus } from '../../common/api/kinds.ts';
import { countsHeldFor, type HeldCounts } from './held-counts.ts';
import { revisionObservation } from './object-fixtures.ts';
import { revisionStatus } from './revision-status.ts';

const BEFORE: ModelRevisionStatus = {
  ...revisionStatus(revisionObservation(), 0),
  readyReplicas: 1,
  desiredReplicas: 1,
};
const MORE: ModelRevisionStatus = { ...BEFORE, desiredReplicas: 3, observedGeneration: 7, mode: 'Panic' };

function nothingHeld(): HeldCounts {
  return { countsDueAt: undefined };
}

function withCondition(change: object): ModelRevisionStatus {
  const [first, ...others] = BEFORE.conditions ?? [];
  return { ...BEFORE, conditions: [...(first === undefined ? [] : [{ ...first, ...change }]), ...others] };
}

test('counts are told a second after the first of them changed, however many follow', () => {
  const held = nothingHeld();
  expect(countsHeldFor(held, BEFORE, MORE, 5000)).toBe(1000);
  expect(countsHeldFor(held, BEFORE, { ...MORE, readyReplicas: 2 }, 5900)).toBe(100);
  expect(countsHeldFor(held, BEFORE, { ...MORE, readyReplicas: 3 }, 6000)).toBe(0);
  expect(countsHeldFor(held, MORE, BEFORE, 6001)).toBe(1000);
});

test('a message that counts is held too', () => {
  expect(countsHeldFor(nothingHeld(), BEFORE, withCondition({ message: '2 replicas are ready' }), 0)).toBe(1000);
});

test.each<[string, ModelRevisionStatus]>([
  ['a condition’s status', withCondition({ status: 'False' })],
  ['a condition’s reason', withCondition({ reason: 'Unschedulable' })],
  ['a wake', { ...MORE, wokenAt: '2026-01-01T00:00:00.000Z' }],
  ['a failure', { ...BEFORE, lastFailure: { reason: 'OutOfMemory', message: '', time: '2026-01-01T00:00:00Z' } }],
  ['a provider', { ...BEFORE, executionProviders: ['CPUExecutionProvider'] }],
])('%s is told at once, and with it the counts', (_what, next) => {
  const held = nothingHeld();
  countsHeldFor(held, BEFORE, MORE, 0);
  expect(countsHeldFor(held, BEFORE, next, 1)).toBe(0);
  expect(countsHeldFor(held, next, { ...next, replicas: 9 }, 2)).toBe(1000);
});

test('a first status is told at once', () => {
  expect(countsHeldFor(nothingHeld(), undefined, BEFORE, 0)).toBe(0);
});
