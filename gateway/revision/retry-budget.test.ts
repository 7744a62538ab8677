import { expect, test } from '@jest/globals';
import { RetryBudget } from './retry-budget.ts';

test('pays for all that one pod can have had, then for a fifth of what comes', () => {
  const budget = new RetryBudget(1_000);
  let paid = 0;
  while (budget.spend()) paid += 1;
  expect(paid).toBe(1_000);
  for (let request = 0; request < 100; request += 1) {
    budget.earn();
    if (budget.spend()) paid += 1;
  }
  // Rounding of the sums of 0.2 may cost one.
  expect(paid).toBeGreaterThanOrEqual(1_019);
  expect(paid).toBeLessThanOrEqual(1_020);
});

test('saves no more than it began with', () => {
  const budget = new RetryBudget(1_000);
  for (let request = 0; request < 10_000; request += 1) budget.earn();
  let paid = 0;
  while (budget.spend()) paid += 1;
  expect(paid).toBe(1_000);
});
