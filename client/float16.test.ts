import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromFloat16, toFloat16 } from './float16.ts';

test('every half means what the platform says', () => {
  const bits = Uint16Array.from({ length: 2 ** 16 }, (_, index) => index);
  expect(fromFloat16(bits)).toEqual(Float32Array.from(new Float16Array(bits.buffer)));
});

test('numbers round as the platform rounds them', () => {
  const near = fc
    .tuple(fc.nat(0x7bff), fc.constantFrom(-1, 1), fc.constantFrom(0, 0.25, 0.5, 0.75))
    .map(([half, sign, part]) => {
      const [low = 0, high = 0] = new Float16Array(Uint16Array.of(half, half + 1).buffer);
      return sign * (Number.isFinite(high) ? low + (high - low) * part : low);
    });
  const number = fc.oneof(fc.double(), near, fc.constantFrom(65519.99, 65520, -65520, 2 ** -25, 0, -0, NaN, Infinity));
  fc.assert(
    fc.property(number, (value) => {
      expect(toFloat16([value])).toEqual(new Uint16Array(new Float16Array([value]).buffer));
    }),
    { numRuns: 2000 },
  );
});
