import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planEvictions } from './plan-evictions.ts';

const item = fc.record({ path: fc.uuid(), bytes: fc.nat(100), usedAt: fc.nat(10), isHeld: fc.boolean() });

test('frees enough, nothing that is held, and nothing younger than what stays', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 8 }), fc.integer({ min: 1, max: 400 }), (items, wanted) => {
      const plan = planEvictions(items, wanted);
      const free = items.filter(({ isHeld }) => !isHeld);
      const sum = (of: readonly { readonly bytes: number }[]): number =>
        of.reduce((total, { bytes }) => total + bytes, 0);
      expect(plan === undefined).toBe(sum(free) < wanted);
      if (plan === undefined) return;
      expect(sum(plan)).toBeGreaterThanOrEqual(wanted);
      // Without the last one it would not have been enough.
      expect(sum(plan.slice(0, -1))).toBeLessThan(wanted);
      expect(plan.some(({ isHeld }) => isHeld)).toBe(false);
      const youngest = Math.max(...plan.map(({ usedAt }) => usedAt));
      const stays = free.filter((one) => !plan.includes(one));
      expect(stays.every(({ usedAt }) => usedAt >= youngest)).toBe(true);
    }),
  );
});
