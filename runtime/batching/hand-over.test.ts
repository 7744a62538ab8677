import { describe, expect, test } from '@jest/globals';
import type { Tensor } from '../inference.ts';
import { handOver } from './hand-over.ts';

const memory = new ArrayBuffer(64);
const floats = (name: string, data: Uint8Array): Tensor => ({ name, datatype: 'FP32', shape: [2], data });
const at = (offset: number, buffer: ArrayBufferLike = memory): Uint8Array => new Uint8Array(buffer, offset, 8);

describe('inputs are handed over as they are', () => {
  test.each<[string, Tensor[]]>([
    ['one', [floats('x', at(4))]],
    ['several of one buffer', [floats('x', at(4)), floats('z', at(40))]],
    ['bytes at any place', [{ name: 'x', datatype: 'UINT8', shape: [8], data: at(3) }]],
  ])('%s', (_which, inputs) => {
    expect(handOver(inputs)).toEqual(inputs);
    expect(handOver(inputs)?.map(({ data }) => data.buffer)).toEqual(inputs.map(() => memory));
  });
});

describe('inputs are not handed over', () => {
  test.each<[string, Tensor[]]>([
    ['that are not aligned', [floats('x', at(0)), floats('z', at(18))]],
    ['of which one is elsewhere', [floats('x', at(0)), floats('z', at(0, new ArrayBuffer(8)))]],
    ['that threads share', [floats('x', at(0, new SharedArrayBuffer(8)))]],
  ])('%s', (_which, inputs) => {
    expect(handOver(inputs)).toBeUndefined();
  });
});
