import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseQuantity } from './quantity.ts';

const NANO = 10n ** 9n;

test.each([
  ['0', 0n],
  ['2', 2n * NANO],
  ['+2', 2n * NANO],
  ['-2', -2n * NANO],
  ['500m', NANO / 2n],
  ['.5', NANO / 2n],
  ['1.', NANO],
  ['1.5Gi', 1610612736n * NANO],
  ['1Ki', 1024n * NANO],
  ['1k', 1000n * NANO],
  ['1E', 10n ** 18n * NANO],
  ['1e3', 1000n * NANO],
  ['1E3', 1000n * NANO],
  ['1e-3', NANO / 1000n],
  ['1n', 1n],
  ['0.1n', 1n],
  ['-0.1n', -1n],
  ['1e999', (2n ** 63n - 1n) * NANO],
])('%s', (text, nano) => {
  expect(parseQuantity(text)).toBe(nano);
});

test.each(['', ' ', '-', '.', 'two', '1 Gi', '1gi', '1KI', '1mi', '1e', '1e1000', '0x10', '1_000', '1'.repeat(65)])(
  '%j is no quantity',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  },
);

test('is monotonic in the number', () => {
  const unit = fc.constantFrom('', 'm', 'k', 'Mi');
  fc.assert(
    fc.property(fc.integer(), fc.integer(), unit, (a, b, suffix) => {
      const [left = 0n, right = 0n] = [parseQuantity(`${a}${suffix}`), parseQuantity(`${b}${suffix}`)];
      expect(left <= right).toBe(a <= b);
    }),
  );
});
