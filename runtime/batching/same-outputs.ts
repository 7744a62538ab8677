/**
 * Whether rows that ran together came out as they do alone, which proves that a model keeps its rows apart. A batch mean, a softmax over axis 0 or a
 * quantisation whose scale is taken over the whole batch does not.
 */
import type { Datatype, Tensor } from '../inference.ts';
import { typedElements } from '../protocol/element-types.ts';
import { cutRows } from './split-outputs.ts';

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
    const rows = cutRows(
      output,
      alone.map(() => 1),
    );
    for (const [row, outputs] of alone.entries()) {
      const expected = outputs[index];
      const actual = rows?.[row];
      if (expected === undefined || actual === undefined || !isSame(actual, expected)) return output.name;
    }
  }
  return undefined;
}

/** The name of the first output that holds nothing but NaN, whose rows are the same whatever the model does; or undefined. */
export function findWithoutNumbers(outputs: readonly Tensor[]): string | undefined {
  return outputs.find(({ datatype, data }) => {
    if (TOLERANCES[datatype] === undefined || datatype === 'BYTES' || data.length === 0) return false;
    return typedElements(datatype, data).every((value: number | bigint) => Number.isNaN(value));
  })?.name;
}

function isSame(actual: Tensor, expected: Tensor): boolean {
  const { datatype } = actual;
  if (actual.shape.join() !== expected.shape.join()) return false;
  const tolerance = TOLERANCES[datatype];
  if (tolerance === undefined || datatype === 'BYTES') {
    return Buffer.compare(actual.data, expected.data) === 0;
  }
  const a = typedElements(datatype, actual.data);
  const b = typedElements(datatype, expected.data);
  let largest = 0;
  for (const value of b) {
    const magnitude = Math.abs(Number(value));
    if (magnitude > largest && magnitude < Infinity) largest = magnitude;
  }
  for (let index = 0; index < a.length; index += 1) {
    const value = Number(a[index]);
    const other = Number(b[index]);
    // NaN and infinities are the same only as themselves; every distance from an infinity would be within a share of it.
    const margin = Number.isFinite(other) ? tolerance.relative * Math.abs(other) + tolerance.scale * largest : 0;
    if (!(Math.abs(value - other) <= margin) && !Object.is(value, other)) return false;
  }
  return true;
}
