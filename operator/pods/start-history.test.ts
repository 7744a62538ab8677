import { describe, expect, test } from '@jest/globals';
import { condition } from '../controllers/object-fixtures.ts';
import type { PodFailure } from './pod-failure.ts';
import {
  healsAt,
  isHopeless,
  NO_FAILURES,
  recordFailure,
  refusal,
  restoreHistory,
  retryNow,
  type StartHistory,
} from './start-history.ts';

const temporary: PodFailure = { reason: 'ModelFetchFailed', message: 'refused', ended: true, permanent: false };
const permanent: PodFailure = { reason: 'ModelInvalid', message: 'no model', ended: true, permanent: true };

/** Each failure is of a pod that was made after the one before. */
function failuresInARow(count: number, failure: PodFailure, now = 0): StartHistory {
  let history = NO_FAILURES;
  for (let attempt = 0; attempt < count; attempt++) history = recordFailure(history, failure, attempt, now);
  return history;
}

describe('failed starts in a row', () => {
  test.each([
    [1, 0],
    [2, 1000],
    [3, 2000],
    [4, 4000],
    [9, 128_000],
    [11, 300_000],
    [60, 300_000],
  ])('%i of them wait %i ms', (count, wait) => {
    expect(failuresInARow(count, temporary, 5000).retryAt).toBe(5000 + wait);
  });

  test('count once for pods that were started together, and the last message stays', () => {
    let history = failuresInARow(1, temporary);
    for (const message of ['a', 'b', 'c']) history = recordFailure(history, { ...temporary, message }, 1, 100);
    expect(history).toMatchObject({ failures: 2, retryAt: 1100, last: { message: 'c' } });
  });

  test('go on where a pod’s annotation says, after a new operator has forgotten', () => {
    expect(recordFailure(NO_FAILURES, temporary, 6, 0).failures).toBe(7);
  });

  test.each([
    [1, permanent, false],
    [2, permanent, true],
    [2, temporary, false],
    [3, temporary, true],
  ])('are hopeless: %i of %o: %s', (count, failure, want) => {
    expect(isHopeless(failuresInARow(count, failure))).toBe(want);
  });

  test('refuse callers until the next start is due', () => {
    const history = failuresInARow(3, permanent);
    expect(refusal(history, 1999)).toMatchObject({ reason: 'ModelInvalid', message: 'no model' });
    expect(refusal(history, 2000)).toBeUndefined();
    expect(refusal(retryNow(history), 0)).toBeUndefined();
    expect(refusal(failuresInARow(1, permanent), 0)).toBeUndefined();
  });

  test('end 10 s after a pod is ready that was made after the last of them', () => {
    const history = failuresInARow(2, temporary);
    expect(healsAt(history, { attempt: 2, readyAt: 500 })).toBe(10_500);
    expect(healsAt(history, { attempt: 1, readyAt: 500 })).toBeUndefined();
    expect(healsAt(NO_FAILURES, { attempt: 0, readyAt: 500 })).toBeUndefined();
  });

  test('are remembered by the status, and so is that they were hopeless', () => {
    const lastFailure = { reason: 'ModelInvalid', message: 'no model', time: '1970-01-01T00:00:01Z' };
    const hopeless = restoreHistory({ lastFailure, conditions: [condition('Ready', 'False')] });
    expect(hopeless).toEqual({
      failures: 2,
      last: { reason: 'ModelInvalid', message: 'no model', permanent: true, at: 1000 },
      retryAt: 0,
    });
    const recovering = [condition('Ready', 'True'), condition('PodsHealthy', 'False')];
    expect(restoreHistory({ lastFailure, conditions: recovering }).failures).toBe(1);
    expect(restoreHistory({ lastFailure, conditions: [condition('PodsHealthy', 'True')] })).toBe(NO_FAILURES);
    expect(restoreHistory({ lastFailure: { ...lastFailure, reason: 'Unheard' } })).toBe(NO_FAILURES);
    expect(restoreHistory(undefined)).toBe(NO_FAILURES);
  });
});
