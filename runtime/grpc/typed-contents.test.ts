import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import type { Datatype } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';
import { tensors } from '../protocol/tensor.arbitrary.ts';
import { InferTensorContents } from './messages.ts';
import { decodeTypedContents, encodeTypedContents } from './typed-contents.ts';

const reference = protobuf
  .parse(readFileSync(join(import.meta.dirname, 'proto/inference.proto'), 'utf8'), { keepCase: true })
  .root.lookupType('inference.InferTensorContents');

test('a tensor of every datatype comes back as it was, through what protobuf’s own library makes of it', () => {
  fc.assert(
    fc.property(tensors, (all) => {
      for (const tensor of all.filter(({ datatype }) => datatype !== 'FP16')) {
        const { datatype, shape, data } = tensor;
        const ours = InferTensorContents.encode(encodeTypedContents(tensor) ?? {});
        const again = Buffer.from(reference.encode(reference.decode(ours)).finish());
        const contents = InferTensorContents.decode(again);
        expect(decodeTypedContents('x', datatype, shape, elementCount(shape), contents)).toEqual(
          datatype === 'BYTES' ? data : Buffer.from(data),
        );
      }
    }),
  );
});

test('FP16 has no typed contents', () => {
  expect(encodeTypedContents({ name: 'x', datatype: 'FP16', shape: [1], data: new Uint8Array(2) })).toBeUndefined();
  expect(() => decodeTypedContents('Input "x"', 'FP16', [1], 1, {})).toThrow('FP16 has no typed contents');
});

test('numbers that are not packed are taken too', () => {
  const bytes = Buffer.from('100110021003', 'hex');
  const contents = InferTensorContents.decode(bytes);
  expect([...decodeTypedContents('x', 'INT8', [3], 3, contents)]).toEqual([1, 2, 3]);
});

describe('elements that do not fit are refused:', () => {
  test.each<[Datatype, string, number[], string]>([
    ['INT8', 'int_contents', [128], 'out of the range of INT8'],
    ['INT8', 'int_contents', [-129], 'out of the range of INT8'],
    ['UINT8', 'uint_contents', [256], 'out of the range of UINT8'],
    ['UINT16', 'uint_contents', [65536], 'out of the range of UINT16'],
    ['INT32', 'int_contents', [1, 2], 'has 2 elements, but the shape has 1'],
    ['FP32', 'fp32_contents', [1, 2], 'takes 4 bytes, but it has 8'],
    ['INT64', 'int_contents', [1], 'has 0 elements, but the shape has 1'],
    ['BYTES', 'int_contents', [1], 'bytes_contents has 0'],
  ])('%s in %s: %j', (datatype, field, values, reason) => {
    const contents = InferTensorContents.decode(
      Buffer.from(reference.encode(reference.fromObject({ [field]: values })).finish()),
    );
    expect(() => decodeTypedContents('Input "x"', datatype, [1], 1, contents)).toThrow(reason);
  });
});
