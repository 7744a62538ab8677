import { expect, test } from '@jest/globals';
import { pauseAfter, retryAfter } from './back-off.ts';

test.each([
  [1, 1, 0, 250],
  [2, 0, 0, 500],
  [3, 1, 2000, 6000],
  // Whatever a server wants, half a minute is what it gets.
  [1, 0, 3_600_000, 30_125],
  [4, 0, 1000, undefined],
])('after %d vain attempts, spread by %d, asked for %d ms: %d ms', (failures, random, asked, pause) => {
  expect(pauseAfter(failures, random, asked)).toBe(pause);
});

test.each([
  ['120', 120_000],
  [undefined, 0],
  ['-1', 0],
  ['Wed, 21 Oct 2026 07:28:00 GMT', 0],
])('retry-after %s is %d ms', (text, milliseconds) => {
  const headers: Record<string, string> = text === undefined ? {} : { 'retry-after': text };
  expect(retryAfter({ status: 503, headers, keepAlive: true })).toBe(milliseconds);
});
