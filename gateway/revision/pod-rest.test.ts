import { expect, test } from '@jest/globals';
import { podRest } from './pod-rest.ts';

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
  ['WrongPod', 1, 1_000],
  ['Stranger', 6, 30_000],
] as const)('after %s, the failure number %d in a row, a pod rests for %d ms', (reason, failures, want) => {
  expect(podRest(reason, failures)).toBe(want);
});
