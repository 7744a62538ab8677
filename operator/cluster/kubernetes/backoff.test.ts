import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { backoffMilliseconds } from './backoff.ts';

test.each([
  [0, 0, undefined, 0],
  [0, 0.5, undefined, 50],
  [1, 0, undefined, 250],
  [1, 1, undefined, 500],
  [2, 0, undefined, 500],
  [7, 0, undefined, 5000],
  [7, 1, undefined, 10_000],
  [1000, 1, undefined, 10_000],
  [1, 0, 7, 7000],
  [0, 0, 3600, 30_000],
])('after %i failures with random %d and retry-after %p it waits %i ms', (failures, random, retryAfter, want) => {
  expect(backoffMilliseconds(failures, random, retryAfter)).toBe(want);
});

test('is always finite and at most 30 s', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat(), random, fc.nat(), (failures, value, retryAfter) => {
      const milliseconds = backoffMilliseconds(failures, value, retryAfter);
      expect(milliseconds).toBeGreaterThanOrEqual(0);
      expect(milliseconds).toBeLessThanOrEqual(30_000);
    }),
  );
});
