import { describe, expect, test } from '@jest/globals';
import { expectedStart, recordStart, type StartTimes } from './start-time.ts';

describe('the time of a start', () => {
  test('runs from when the pod was first seen, by the operator that made it', () => {
    expect(recordStart([], 1_000_700, 1_000_000, 1_020_700)).toEqual([20_000]);
  });

  test('runs from the end of the second of its creation, by an operator that came later', () => {
    expect(recordStart([], 1_015_000, 1_000_000, 1_020_700)).toEqual([19_700]);
  });

  test('is not below nothing when the clocks differ', () => {
    expect(recordStart([], 1_000_000, 1_000_000, 999_000)).toEqual([0]);
  });
});

describe('the next start', () => {
  const after = (...starts: number[]): number | undefined =>
    expectedStart(starts.reduce<StartTimes>((times, start) => recordStart(times, 0, 0, start), []));

  test('is unknown before the first', () => {
    expect(after()).toBeUndefined();
  });

  test('takes what the last ones took', () => {
    expect(after(20_000)).toBe(20_000);
    expect(after(20_000, 22_000)).toBe(22_000);
    expect(after(20_000, 22_000, 21_000)).toBe(21_000);
  });

  test('is not put off by one that was odd, and follows those that are not', () => {
    expect(after(20_000, 20_000, 20_000, 500_000)).toBe(20_000);
    expect(after(20_000, 20_000, 20_000, 20_000, 20_000, 5000, 5000, 5000)).toBe(5000);
  });
});
