import { expect, test } from '@jest/globals';
import { errorRest, podRest } from './pod-rest.ts';

test.each([
  ['LimitReached', 1, 5],
  ['LimitReached', 3, 20],
  ['LimitReached', 99, 160],
  ['NotReady', 1, 50],
  ['NotReady', 99, 1_000],
  ['Draining', 1, 10_000],
  ['Draining', 5, 10_000],
  ['Unreachable', 1, 50],
  ['Unreachable', 5, 800],
  ['Unreachable', 99, 30_000],
  ['Silent', 1, 5_000],
  ['Silent', 99, 60_000],
  ['WrongPod', 1, 1_000],
  ['Stranger', 6, 30_000],
] as const)('after %s, the failure number %d in a row, a pod rests for %d ms', (reason, failures, want) => {
  expect(podRest(reason, failures)).toBe(want);
});

test.each([
  [4, 0],
  [5, 1_000],
  [7, 4_000],
  [99, 30_000],
])('after %d errors in a row a pod is spared for %d ms', (errors, want) => {
  expect(errorRest(errors)).toBe(want);
});
