import { expect, test } from '@jest/globals';
import { retryDelay } from './retry-delay.ts';

test.each([
  [0, false, 1, 50],
  [0, false, 0, 25],
  [1, false, 1, 100],
  [4, false, 1, 800],
  [5, false, 1, 1000],
  [5000, false, 1, 1000],
  [0, true, 1, 10_000],
  [9, true, 0, 5000],
])('attempt %i, refused %s, random %d: %d ms', (attempt, refused, random, want) => {
  expect(retryDelay(attempt, refused, random)).toBe(want);
});
