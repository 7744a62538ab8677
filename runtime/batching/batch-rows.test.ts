import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { packBytesElements } from '../protocol/bytes-elements.ts';
import { packInputs } from './pack-inputs.ts';
import { splitOutputs } from './split-outputs.ts';

const datatypes = fc.constantFrom(...(Object.keys(DATATYPE_BYTES) as Datatype[]));

/** Requests with equal names, datatypes and other dimensions, and any number of rows; data at odd offsets. */
const requests = fc
  .array(fc.record({ datatype: datatypes, width: fc.integer({ min: 0, max: 3 }) }), { minLength: 1, maxLength: 3 })
  .chain((columns) =>
    fc.array(
      fc.integer({ min: 1, max: 3 }).chain((rows) =>
        fc.tuple(
          ...columns.map(({ datatype, width }, index) => {
            const count = rows * width;
            const size = DATATYPE_BYTES[datatype];
            const data =
              size === undefined
                ? fc
                    .array(fc.uint8Array({ maxLength: 5 }), { minLength: count, maxLength: count })
                    .map(packBytesElements)
                : fc
                    .uint8Array({ minLength: count * size + 1, maxLength: count * size + 1 })
                    .map((bytes) => bytes.subarray(1));
            return data.map((elements): Tensor => ({
              name: `i${index}`,
              datatype,
              shape: [rows, width],
              data: elements,
            }));
          }),
        ),
      ),
      { minLength: 1, maxLength: 5 },
    ),
  );

const plain = (tensor: Tensor): unknown => ({
  ...tensor,
  data: [...tensor.data],
});

describe('packing and splitting a batch', () => {
  test('gives every request its own rows back, whatever the others hold', () => {
    fc.assert(
      fc.property(requests, (batch) => {
        const packed = packInputs(batch);
        const rows = batch.map(([first]) => first?.shape[0] ?? 0);
        const total = rows.reduce((sum, count) => sum + count, 0);
        for (const { shape, data } of packed) {
          expect(shape[0]).toBe(total);
          expect(data.byteOffset % 8).toBe(0);
          expect(data.buffer).toBe(packed[0]?.data.buffer);
        }
        const parts = splitOutputs(packed, rows);
        expect(parts?.map((part) => part.map(plain))).toEqual(batch.map((inputs) => inputs.map(plain)));
      }),
    );
  });

  test('keeps the shape of a single request, scalars included', () => {
    const scalar: Tensor = { name: 'rate', datatype: 'INT64', shape: [], data: new Uint8Array(8) };
    expect(packInputs([[scalar]])).toEqual([{ ...scalar, data: new Uint8Array(8) }]);
  });

  test('does not split an output with another number of rows', () => {
    const output: Tensor = { name: 'y', datatype: 'UINT8', shape: [3], data: new Uint8Array(3) };
    expect(splitOutputs([output], [1, 1])).toBeUndefined();
  });
});
