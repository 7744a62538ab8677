import { expect, test } from '@jest/globals';
import { retryAfter } from './retry-after.ts';

const COLD = { startSeconds: 40, isCold: true, waitedSeconds: 24.5 };
const WARM = { ...COLD, isCold: false };

test.each([
  ['queue-full', COLD, 16],
  ['no-pod-in-time', COLD, 16],
  ['queue-full', WARM, 1],
  ['no-pod-in-time', WARM, 40],
  ['gateway-full', COLD, 1],
  ['revision-failed', COLD, 1],
  // The start is overdue.
  ['no-pod-in-time', { ...COLD, waitedSeconds: 60 }, 1],
  ['no-pod-in-time', { ...COLD, startSeconds: undefined }, 1],
  ['no-pod-in-time', { ...COLD, startSeconds: 0 }, 1],
  ['no-pod-in-time', { ...WARM, startSeconds: 86_400 }, 300],
] as const)('%s of %p: after %d s', (code, revision, seconds) => {
  expect(retryAfter(code, revision)).toBe(seconds);
});
