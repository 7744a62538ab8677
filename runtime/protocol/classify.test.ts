import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Datatype, Tensor } from '../inference.ts';
import { unpackBytesElements } from './bytes-elements.ts';
import { classify } from './classify.ts';

function tensor(datatype: Datatype, shape: number[], elements: NodeJS.TypedArray): Tensor {
  return { name: 'y', datatype, shape, data: new Uint8Array(elements.buffer as ArrayBuffer) };
}

function texts({ data }: Tensor): string[] {
  return unpackBytesElements(data).map(String);
}

const declared = (...shape: number[]): { name: string; datatype: string; shape: number[] } => ({
  name: 'y',
  datatype: 'FP32',
  shape,
});

describe('classification', () => {
  test('gives the largest elements of each row, the largest first', () => {
    const scores = tensor('FP32', [2, 3], Float32Array.of(0.25, 0.5, 0.125, 3, 1, 2));
    const classes = classify(scores, declared(-1, 3), 2);
    expect([classes.datatype, classes.shape]).toEqual(['BYTES', [2, 2]]);
    expect(texts(classes)).toEqual(['0.500000:1', '0.250000:0', '3.000000:0', '2.000000:2']);
  });

  test('gives what there is where a row has fewer', () => {
    const classes = classify(tensor('INT64', [2], BigInt64Array.of(5n, -7n)), declared(2), 9);
    expect([classes.shape, texts(classes)]).toEqual([[2], ['5:0', '-7:1']]);
  });

  test('of no rows is empty', () => {
    expect(classify(tensor('FP32', [0, 3], new Float32Array()), declared(-1, 3), 2)).toMatchObject({
      shape: [0, 0],
      data: new Uint8Array(),
    });
  });

  test('puts NaN last, and of equals the first first', () => {
    const scores = tensor('FP16', [4], Float16Array.of(NaN, 1, 1, -Infinity));
    expect(texts(classify(scores, declared(4), 4))).toEqual(['1.000000:1', '1.000000:2', '-Infinity:3', 'NaN:0']);
  });

  test.each<Datatype>(['BYTES', 'BOOL'])('of %s is refused', (datatype) => {
    expect(() => classify(tensor(datatype, [1], Uint8Array.of(1)), declared(1), 1)).toThrow(
      'classification needs numbers',
    );
  });

  test('agrees with sorting', () => {
    fc.assert(
      fc.property(
        fc.float64Array({ maxLength: 50, noNaN: true }),
        fc.integer({ min: 1, max: 60 }),
        (elements, count) => {
          const sorted = [...elements.keys()].sort((a, b) => (elements[b] ?? 0) - (elements[a] ?? 0) || a - b);
          const got = texts(
            classify(tensor('FP64', [elements.length], Float64Array.from(elements)), declared(elements.length), count),
          );
          expect(got.map((text) => Number(text.split(':')[1])).map((index) => elements[index])).toEqual(
            sorted.slice(0, count).map((index) => elements[index]),
          );
        },
      ),
    );
  });
});
