/** Half-precision floats (IEEE 754 binary16) where the platform has no Float16Array of its own: Node before 24, browsers before 2025. */

const SIGN = 0x8000;
const EXPONENT = 0x7c00;
const FRACTION = 0x03ff;
const FRACTION_BITS = 10;
const SMALLEST_NORMAL = 2 ** -14;
const SMALLEST_STEP = 2 ** -24;
const NOT_A_NUMBER = 0x7e00;
/** From here on a number rounds to infinity: halfway between the largest one, 65504, and what would be the next. */
const OVERFLOW = 65520;

/**
 * The numbers that the bits of a FP16 tensor mean, all of them exact.
 *
 * @example
 * const scores = fromFloat16(outputs.scores.data); // a Float32Array
 */
export function fromFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, (half) => {
    const sign = half & SIGN ? -1 : 1;
    const exponent = (half & EXPONENT) >> FRACTION_BITS;
    const fraction = half & FRACTION;
    if (exponent === 0) return sign * fraction * SMALLEST_STEP;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

/**
 * Bits of the nearest halves, ties to even as the platform's own conversions. Above 65504 they are infinite.
 *
 * @example
 * await model.infer({ x: { datatype: 'FP16', shape: [2], data: toFloat16([0.5, 1.5]) } });
 */
export function toFloat16(numbers: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(numbers, (number) => {
    if (Number.isNaN(number)) return NOT_A_NUMBER;
    const sign = number < 0 || Object.is(number, -0) ? SIGN : 0;
    const size = Math.abs(number);
    if (size >= OVERFLOW) return sign | EXPONENT;
    if (size < SMALLEST_NORMAL) return sign | roundToEven(size / SMALLEST_STEP);
    let exponent = Math.floor(Math.log2(size));
    // A logarithm is rounded: next to a power of two it can be one off.
    if (2 ** exponent > size) exponent -= 1;
    else if (2 ** (exponent + 1) <= size) exponent += 1;
    // A fraction that rounds up to 1024 carries into the exponent, which is what adding does.
    return sign | (((exponent + 15) << FRACTION_BITS) + roundToEven((size / 2 ** exponent - 1) * 1024));
  });
}

function roundToEven(number: number): number {
  const below = Math.floor(number);
  const rest = number - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
