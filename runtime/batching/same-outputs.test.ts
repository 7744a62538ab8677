import { describe, expect, test } from '@jest/globals';
import type { Datatype, Tensor } from '../inference.ts';
import { packTexts } from '../protocol/packed-texts.ts';
import { findDifference, findWithoutNumbers } from './same-outputs.ts';

const tensor = (datatype: Datatype, shape: number[], values: ArrayLike<number> & ArrayBufferView): Tensor => ({
  name: 'y',
  datatype,
  shape,
  data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});
const floats = (shape: number[], ...values: number[]): Tensor => tensor('FP32', shape, Float32Array.from(values));
const halves = (shape: number[], ...bits: number[]): Tensor => tensor('FP16', shape, Uint16Array.from(bits));
const ids = (shape: number[], ...values: number[]): Tensor => tensor('INT32', shape, Int32Array.from(values));
const texts = (shape: number[], ...values: string[]): Tensor => ({
  name: 'y',
  datatype: 'BYTES',
  shape,
  data: packTexts(values),
});

describe('findDifference', () => {
  test.each<[string, Tensor, Tensor[]]>([
    ['equal floats', floats([2, 2], 1, 2, 3, 4), [floats([1, 2], 1, 2), floats([1, 2], 3, 4)]],
    ['floats that rounding moved', floats([2, 1], 1000.01, 1), [floats([1, 1], 1000), floats([1, 1], 1)]],
    ['a small value beside a large one', floats([1, 2], 1000, 1e-3), [floats([1, 2], 1000, 2e-3)]],
    ['NaN and infinity', floats([1, 2], NaN, Infinity), [floats([1, 2], NaN, Infinity)]],
    ['halves a rounding apart', halves([1, 1], 0x3c01), [halves([1, 1], 0x3c00)]],
    ['equal whole numbers', ids([2, 1], 3, 4), [ids([1, 1], 3), ids([1, 1], 4)]],
    ['equal strings', texts([2], 'a', 'bc'), [texts([1], 'a'), texts([1], 'bc')]],
  ])('accepts %s', (_, together, alone) => {
    expect(
      findDifference(
        [together],
        alone.map((one) => [one]),
      ),
    ).toBeUndefined();
  });

  test.each<[string, Tensor, Tensor[]]>([
    ['another value', floats([2, 1], 1, 2), [floats([1, 1], 1), floats([1, 1], 2.01)]],
    ['small values that are far apart for their size', floats([1, 1], 1e-6), [floats([1, 1], 2e-6)]],
    ['NaN where a number was', floats([1, 1], NaN), [floats([1, 1], 1)]],
    ['a number where infinity was', floats([1, 1], 1), [floats([1, 1], Infinity)]],
    ['rows in another order', ids([2, 1], 4, 3), [ids([1, 1], 3), ids([1, 1], 4)]],
    ['a whole number one off', ids([1, 1], 3), [ids([1, 1], 4)]],
    ['halves far apart', halves([1, 1], 0x4000), [halves([1, 1], 0x3c00)]],
    ['another string', texts([1], 'a'), [texts([1], 'b')]],
    ['strings cut elsewhere', texts([1, 2], 'ab', 'c'), [texts([1, 2], 'a', 'bc')]],
    ['another row shape', floats([1, 2], 1, 2), [floats([1, 1], 1)]],
    ['another number of rows', floats([3, 1], 1, 2, 3), [floats([1, 1], 1), floats([1, 1], 2)]],
  ])('finds %s', (_, together, alone) => {
    expect(
      findDifference(
        [together],
        alone.map((one) => [one]),
      ),
    ).toBe('y');
  });
});

describe('findWithoutNumbers', () => {
  test.each<[string, Tensor, string | undefined]>([
    ['nothing but NaN', floats([1, 2], NaN, NaN), 'y'],
    ['halves that are all NaN', halves([1, 2], 0x7e00, 0xfe00), 'y'],
    ['a number among NaN', floats([1, 2], NaN, 0), undefined],
    ['infinity', floats([1, 1], Infinity), undefined],
    ['nothing', floats([1, 0]), undefined],
    ['whole numbers', ids([1, 1], 0), undefined],
    ['strings', texts([1], 'NaN'), undefined],
  ])('tells of %s', (_, output, name) => {
    expect(findWithoutNumbers([floats([1, 1], 1), output])).toBe(name);
  });
});
