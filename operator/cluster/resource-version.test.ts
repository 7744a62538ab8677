import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isOlderVersion } from './resource-version.ts';

test('orders decimal versions of any length as numbers', () => {
  const version = fc.bigInt({ min: 1n, max: 2n ** 70n });
  fc.assert(
    fc.property(version, version, (a, b) => {
      expect(isOlderVersion(String(a), String(b))).toBe(a < b);
    }),
  );
});

test.each([
  [undefined, '1'],
  ['1', undefined],
  ['abc', 'abd'],
  ['', '1'],
  ['0', '1'],
  ['01', '2'],
])('%p and %p have no order', (a, b) => {
  expect(isOlderVersion(a, b)).toBe(false);
});
