/**
 * Whether rows that ran together came out as they do alone, which proves that a model keeps its rows apart. A batch mean, a softmax over axis 0 or a
 * quantisation whose scale is taken over the whole batch does not.
 */
import type { Datatype, Tensor } from '../inference.ts';
import { viewElements } from '../model/data-types.ts';
import { packBytes, packedLength } from '../model/packed-bytes.ts';
import { sliceRows } from './split-outputs.ts';

/**
 * What may differ: `relative` of the value itself and `scale` of the largest value in the tensor. Kernels sum in another order for another number of
 * rows, which moves a sum of n terms by about sqrt(n) roundings of its largest term: for float32 and n = 4096 that is 64 × 6e-8 = 4e-6 of the scale.
 * Rows that mix move by about the scale itself, as the trial rows differ that much.
 */
const TOLERANCES: Partial<Record<Datatype, { readonly relative: number; readonly scale: number }>> = {
  FP64: { relative: 1e-10, scale: 1e-12 },
  FP32: { relative: 1e-4, scale: 1e-5 },
  FP16: { relative: 1e-2, scale: 1e-3 },
};

/** The name of the first output that differs, or undefined. `alone[r]` is what row `r` of `together` gave by itself. */
export function findDifference(together: readonly Tensor[], alone: readonly (readonly Tensor[])[]): string | undefined {
  for (const [index, output] of together.entries()) {
    for (const [row, outputs] of alone.entries()) {
      const expected = outputs[index];
      const actual = sliceRows(output, row, 1, alone.length);
      if (expected === undefined || actual === undefined || !isSame(actual, expected)) return output.name;
    }
  }
  return undefined;
}

function isSame(actual: Tensor, expected: Tensor): boolean {
  if (actual.shape.join() !== expected.shape.join()) return false;
  if (!(actual.data instanceof Uint8Array) || !(expected.data instanceof Uint8Array)) {
    return Buffer.compare(joined(actual.data), joined(expected.data)) === 0;
  }
  const tolerance = TOLERANCES[actual.datatype];
  if (tolerance === undefined) return Buffer.compare(actual.data, expected.data) === 0;
  const a = floats(actual.datatype, actual.data);
  const b = floats(expected.datatype, expected.data);
  const largest = b.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  return a.every((value, index) => {
    const other = b[index] ?? NaN;
    if (Object.is(value, other) || value === other) return true;
    return Math.abs(value - other) <= tolerance.relative * Math.abs(other) + tolerance.scale * largest;
  });
}

function joined(data: Tensor['data']): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const packed = new Uint8Array(packedLength(data));
  packBytes(data, packed, 0);
  return packed;
}

function floats(datatype: Datatype, data: Uint8Array): number[] {
  // A copy, because a row inside a larger tensor need not be aligned as its elements must be.
  const bytes = new Uint8Array(data);
  if (datatype === 'FP16') return Array.from(new Uint16Array(bytes.buffer), halfToNumber);
  return datatype === 'FP64' || datatype === 'FP32' ? Array.from(viewElements(datatype, bytes), Number) : [];
}

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
