/** Kubernetes' notation for amounts: `2`, `500m`, `1.5Gi`, `1e3`. */

/** 10^-9 is the smallest amount; anything finer is rounded away from zero, as Kubernetes does. */
const NANO_DIGITS = 9;
/** Kubernetes' largest amount is 2^63 - 1; larger ones are cut to it. */
const LARGEST = (2n ** 63n - 1n) * 10n ** BigInt(NANO_DIGITS);
const LONGEST = 64;

const QUANTITY = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d{1,3})?$/;
const DECIMAL_EXPONENTS: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const BINARY_UNITS = 'KMGTPE';

/** The amount in units of 10^-9, or undefined if the text is not a quantity. */
export function parseQuantity(text: string): bigint | undefined {
  const match = text.length <= LONGEST ? QUANTITY.exec(text) : null;
  if (match === null) return undefined;
  const [, sign = '', number = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const binary = suffix.endsWith('i') ? 1024n ** BigInt(BINARY_UNITS.indexOf(suffix.charAt(0)) + 1) : 1n;
  const mantissa = BigInt(whole + fraction) * binary;
  const exponent = (suffix.endsWith('i') ? 0 : decimalExponent(suffix)) - fraction.length + NANO_DIGITS;
  const size = exponent >= 0 ? mantissa * 10n ** BigInt(exponent) : divideUp(mantissa, 10n ** BigInt(-exponent));
  const bounded = size > LARGEST ? LARGEST : size;
  return sign === '-' ? -bounded : bounded;
}

/** Of bytes: whole ones, rounded down; undefined if the text is not a quantity. */
export function quantityBytes(text: string): number | undefined {
  const amount = parseQuantity(text);
  return amount === undefined ? undefined : Number(amount / 10n ** BigInt(NANO_DIGITS));
}

function decimalExponent(suffix: string): number {
  return DECIMAL_EXPONENTS[suffix] ?? Number(suffix.slice(1));
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
