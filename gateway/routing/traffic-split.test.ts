import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { pickShare } from './traffic-split.ts';

test.each([
  [[], 0, undefined],
  [[0], 0, undefined],
  [[100], 0.99, 0],
  [[90, 10], 0.899, 0],
  [[90, 10], 0.9, 1],
  [[0, 100], 0, 1],
  [[50, 0, 50], 0.5, 2],
  // A half-written split keeps its proportions.
  [[10, 10], 0.49, 0],
  [[10, 10], 0.5, 1],
])('of the percentages %j, %d falls into share %s', (percentages, random, want) => {
  const shares = percentages.map((percent, target) => ({ percent, target }));
  expect(pickShare(shares, () => random)).toBe(want);
});

test('each share gets exactly its percentage of evenly spread draws', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100), { minLength: 1, maxLength: 5 }), (percentages) => {
      const total = percentages.reduce((sum, percent) => sum + percent, 0);
      fc.pre(total > 0);
      const shares = percentages.map((percent, target) => ({ percent, target }));
      const counts = percentages.map(() => 0);
      for (let draw = 0; draw < total; draw += 1) {
        const target = pickShare(shares, () => (draw + 0.5) / total);
        if (target !== undefined) counts[target] = (counts[target] ?? 0) + 1;
      }
      expect(counts).toEqual(percentages);
    }),
  );
});
