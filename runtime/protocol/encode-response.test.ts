import { describe, expect, test } from '@jest/globals';
import type { Tensor } from '../inference.ts';
import { packBytesElements } from './bytes-elements.ts';
import { responseEncoder } from './encode-response.ts';

const encode = responseEncoder('digits', 'digits-00001');
const label: Tensor = { name: 'label', datatype: 'UINT8', shape: [2], data: Uint8Array.of(7, 3) };
const odd: Tensor = { name: 'odd', datatype: 'BOOL', shape: [2], data: Uint8Array.of(1, 1) };

describe('a response', () => {
  test('is JSON with the request’s id', () => {
    const { body, jsonLength } = encode({ id: '"é', inputs: [], binaryOutput: false }, [label, odd]);
    expect(jsonLength).toBeUndefined();
    expect(JSON.parse(body.toString())).toEqual({
      model_name: 'digits',
      model_version: 'digits-00001',
      id: '"é',
      outputs: [
        { name: 'label', datatype: 'UINT8', shape: [2], data: [7, 3] },
        { name: 'odd', datatype: 'BOOL', shape: [2], data: [true, true] },
      ],
    });
  });

  test('has binary the outputs that were asked for so, in their order after the JSON', () => {
    const outputs = [
      { name: 'label', binary: true },
      { name: 'odd', binary: false },
    ];
    const { body, jsonLength } = encode({ inputs: [], outputs, binaryOutput: false }, [label, odd]);
    expect(JSON.parse(body.toString('utf8', 0, jsonLength))).toMatchObject({
      outputs: [{ parameters: { binary_data_size: 2 } }, { data: [true, true] }],
    });
    expect([...body.subarray(jsonLength)]).toEqual([7, 3]);
  });

  test('refuses JSON for bytes that are no text, and says the way out', () => {
    const raw: Tensor = { name: 'raw', datatype: 'BYTES', shape: [1], data: packBytesElements([Uint8Array.of(0xff)]) };
    expect(() => encode({ inputs: [], binaryOutput: false }, [raw])).toThrow('"binary_data": true');
  });
});
