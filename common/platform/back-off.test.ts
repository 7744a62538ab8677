import { expect, test } from '@jest/globals';
import { backOff } from './back-off.ts';

test.each([
  { before: 0, random: 0, want: 50 },
  { before: 0, random: 0.5, want: 75 },
  { before: 3, random: 0, want: 400 },
  { before: 6, random: 0, want: 2500 },
  { before: 5000, random: 0.5, want: 3750 },
])('after $before vain attempts, at $random, the next one is $want ms away', ({ before, random, want }) => {
  expect(backOff(before, 100, 5000, random)).toBe(want);
});
