import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { chooseOwner } from './choose-owner.ts';

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 36 }), { minLength: 1, maxLength: 12 });

// Gateways of two versions must agree, so these may never change.
test.each([
  ['default/digits-00001', ['a', 'b', 'c'], 'a'],
  ['default/digits-00002', ['a', 'b', 'c'], 'c'],
  ['default/digits-00003', ['a', 'b', 'c'], 'c'],
  ['models/faces-00001', ['a', 'b', 'c'], 'a'],
  ['default/digits-00001', ['b'], 'b'],
  ['default/digits-00001', [], undefined],
])('%s of %p is with %s', (key, gateways, owner) => {
  expect(chooseOwner(key, gateways)).toBe(owner);
});

describe('the owner', () => {
  test('does not depend on the order in which gateways are named', () => {
    fc.assert(
      fc.property(fc.string(), ids, (key, gateways) => {
        expect(chooseOwner(key, [...gateways].reverse())).toBe(chooseOwner(key, gateways));
      }),
    );
  });

  test('moves only from a gateway that goes, or to one that comes', () => {
    fc.assert(
      fc.property(fc.string(), ids, fc.nat(), (key, gateways, at) => {
        const gone = gateways[at % gateways.length];
        const before = chooseOwner(key, gateways);
        const after = chooseOwner(
          key,
          gateways.filter((id) => id !== gone),
        );
        if (before !== gone) expect(after).toBe(before);
      }),
    );
  });

  test.each([2, 3, 5, 10])(
    'is each of %d gateways about equally often, also for names that differ in a digit',
    (count) => {
      const gateways = Array.from({ length: count }, (_, at) => `7b0e2c9e-3f1a-4c55-9d7b-00000000000${at}`);
      const owned = new Map<string | undefined, number>();
      for (let at = 0; at < 1_000 * count; at += 1) {
        const owner = chooseOwner(`default/model-${at}-00001`, gateways);
        owned.set(owner, (owned.get(owner) ?? 0) + 1);
      }
      // 1,000 each; five standard deviations of chance are 160.
      for (const id of gateways) expect(Math.abs((owned.get(id) ?? 0) - 1_000)).toBeLessThan(160);
    },
  );
});
