import { describe, expect, test } from '@jest/globals';
import { findCondition, isTrue, summarise, timestamp, updateConditions, type Finding } from './conditions.ts';

const T0 = Date.UTC(2026, 0, 1);
const ready: Finding = { type: 'Ready', status: 'True', reason: 'Ready', message: '' };
const starting: Finding = { type: 'Ready', status: 'Unknown', reason: 'Starting', message: 'Pods are starting' };

describe('conditions', () => {
  test('move their transition time only when the status changes', () => {
    const first = updateConditions([], [starting], { generation: 1, now: T0 });
    const other = { ...starting, reason: 'Unschedulable' as const, message: '0/1 nodes' };
    const second = updateConditions(first, [other], { generation: 2, now: T0 + 60_000 });
    const third = updateConditions(second, [ready], { generation: 2, now: T0 + 90_999 });
    expect(second).toEqual([{ ...other, lastTransitionTime: '2026-01-01T00:00:00Z', observedGeneration: 2 }]);
    expect(third[0]).toMatchObject({ status: 'True', lastTransitionTime: '2026-01-01T00:01:30Z' });
  });

  test('that are no longer found are gone', () => {
    const stalled: Finding = { type: 'Stalled', status: 'True', reason: 'SpecInvalid', message: '' };
    const before = updateConditions([], [ready, stalled], { generation: 1, now: T0 });
    const after = updateConditions(before, [ready], { generation: 1, now: T0 });
    expect(isTrue(before, 'Stalled')).toBe(true);
    expect(findCondition(after, 'Stalled')).toBeUndefined();
  });

  test('cut a message to what Kubernetes takes', () => {
    const long = { ...ready, message: 'x'.repeat(40_000) };
    expect(updateConditions([], [long], { generation: 1, now: T0 })[0]?.message).toHaveLength(32_768);
  });
});

describe('the summary', () => {
  const good: Finding = { type: 'TrafficAssigned', status: 'True', reason: 'Routed', message: '' };
  const waits: Finding = { type: 'RevisionReady', status: 'Unknown', reason: 'Starting', message: 'waits' };
  const broken: Finding = { type: 'RevisionReady', status: 'False', reason: 'ModelInvalid', message: 'broken' };

  const cases: Record<string, { findings: Finding[]; needsUser: boolean; want: string[] }> = {
    'all good': { findings: [good], needsUser: false, want: ['Ready=True/Ready'] },
    'one in progress': {
      findings: [good, waits],
      needsUser: false,
      want: ['Ready=Unknown/Starting', 'Reconciling=True/Starting'],
    },
    'one broken, one in progress': {
      findings: [waits, broken],
      needsUser: false,
      want: ['Ready=False/ModelInvalid'],
    },
    'broken until the user acts': {
      findings: [broken],
      needsUser: true,
      want: ['Ready=False/ModelInvalid', 'Stalled=True/ModelInvalid'],
    },
  };
  test.each(Object.entries(cases))('%s', (_name, { findings, needsUser, want }) => {
    const summary = summarise(findings, { needsUser, ready: 'Fine' });
    expect(summary.map(({ type, status, reason }) => `${type}=${status}/${reason}`)).toEqual(want);
  });
});

test('a timestamp has whole seconds', () => {
  expect(timestamp(T0 + 1_999)).toBe('2026-01-01T00:00:01Z');
});
