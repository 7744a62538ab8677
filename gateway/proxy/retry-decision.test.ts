import { expect, test } from '@jest/globals';
import { decideRetry } from './retry-decision.ts';

test.each([
  ['not-begun', true, undefined, 'elsewhere'],
  ['not-begun', true, 'died', 'elsewhere'],
  ['not-begun', true, 'stranger', 'elsewhere'],
  ['not-begun', false, undefined, 'no-pod-in-time'],
  ['died', true, undefined, 'elsewhere'],
  ['stranger', true, undefined, 'elsewhere'],
  ['died', false, undefined, 'pod-failed'],
  ['stranger', false, undefined, 'pod-failed'],
  ['died', true, 'died', 'poison'],
  ['died', false, 'died', 'poison'],
  ['died', true, 'stranger', 'pod-failed'],
  ['stranger', true, 'died', 'pod-failed'],
  ['stranger', true, 'stranger', 'pod-failed'],
] as const)('%s, body whole: %s, before: %s → %s', (attempt, whole, before, want) => {
  expect(decideRetry(attempt, whole, before)).toBe(want);
});
