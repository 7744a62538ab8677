/** The client's codec against the runtime's own: what one writes the other reads, whatever the tensors. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Tensor } from '../runtime/inference.ts';
import { packBytesElements, unpackBytesElements } from '../runtime/protocol/bytes-elements.ts';
import { responseEncoder } from '../runtime/protocol/encode-response.ts';
import { HEADER_LENGTH, parseRequest } from '../runtime/protocol/parse-request.ts';
import { tensors } from '../runtime/protocol/tensor.arbitrary.ts';
import { TYPED_ARRAYS } from './datatypes.ts';
import { decodeAnswer } from './decode-answer.ts';
import { encodeRequest } from './encode-request.ts';
import { InferenceError } from './inference-error.ts';
import type { InputTensor } from './tensors.ts';

const encode = responseEncoder('digits', 'digits-00001');

/** A tensor of the runtime as a user of the client holds it. */
function asInput({ datatype, shape, data }: Tensor): InputTensor {
  if (datatype === 'BYTES') return { datatype, shape, data: unpackBytesElements(data) };
  const bytes = Uint8Array.from(data);
  return { datatype, shape, data: new TYPED_ARRAYS[datatype](bytes.buffer) } as InputTensor;
}

function inputsOf(list: readonly Tensor[]): Record<string, InputTensor> {
  return Object.fromEntries(list.map((tensor) => [tensor.name, asInput(tensor)]));
}

function bytesOf(data: Tensor['data'] | InputTensor['data']): unknown {
  if (Array.isArray(data)) return [...packBytesElements(data as readonly Uint8Array[])];
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  return [...new Uint8Array(buffer, byteOffset, byteLength)];
}

/** By name, with bytes as plain arrays. */
function plain(list: readonly (readonly [string, Pick<Tensor, 'datatype' | 'shape' | 'data'>])[]): unknown {
  return Object.fromEntries(
    list.map(([name, { datatype, shape, data }]) => [name, { datatype, shape, data: bytesOf(data) }]),
  );
}

const named = (list: readonly Tensor[]): (readonly [string, Tensor])[] => list.map((tensor) => [tensor.name, tensor]);

describe('whatever the tensors', () => {
  test.each(['binary', 'json'] as const)('the runtime reads a %s request exactly', (encoding) => {
    fc.assert(
      fc.property(tensors, (inputs) => {
        const { body, headers } = encodeRequest({ inputs: inputsOf(inputs) }, encoding);
        const read = parseRequest(headers, Buffer.from(body.buffer));
        expect(plain(named(read.inputs))).toEqual(plain(named(inputs)));
        expect(read.binaryOutput).toBe(encoding === 'binary');
      }),
    );
  });

  test.each([true, false])('an answer of the runtime is read exactly, binary: %s', (binaryOutput) => {
    fc.assert(
      fc.property(tensors, (outputs) => {
        const { body, jsonLength } = encode({ inputs: [], binaryOutput, id: 'a' }, outputs);
        const decoded = decodeAnswer(
          Uint8Array.from(body).buffer,
          jsonLength === undefined ? null : String(jsonLength),
        );
        expect(plain(Object.entries(decoded.outputs) as never)).toEqual(plain(named(outputs)));
        expect(decoded).toMatchObject({ model: 'digits', version: 'digits-00001', id: 'a' });
      }),
    );
  });

  test('bytes that are no answer are an InferenceError', () => {
    const output = fc.record(
      {
        name: fc.oneof(fc.constant('y'), fc.jsonValue({ maxDepth: 1 })),
        datatype: fc.constantFrom('FP32', 'INT64', 'BYTES', 'BOOL', 'UINT8', 'none'),
        shape: fc.oneof(fc.constant([2]), fc.jsonValue({ maxDepth: 2 })),
        data: fc.jsonValue({ maxDepth: 3 }),
        parameters: fc.oneof(fc.record({ binary_data_size: fc.oneof(fc.nat(9), fc.jsonValue()) }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    );
    const document = fc.oneof(fc.jsonValue(), fc.record({ outputs: fc.oneof(fc.array(output), fc.jsonValue()) }));
    fc.assert(
      fc.property(document, fc.uint8Array({ maxLength: 9 }), fc.option(fc.string()), (value, rest, odd) => {
        const json = Buffer.from(JSON.stringify(value));
        const body = Uint8Array.from(Buffer.concat([json, rest])).buffer;
        try {
          decodeAnswer(body, odd ?? String(json.length));
        } catch (error) {
          expect(error).toBeInstanceOf(InferenceError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('a request', () => {
  const read = (inputs: Record<string, InputTensor>): readonly Tensor[] => {
    const { body, headers } = encodeRequest({ inputs }, 'binary');
    return parseRequest({ [HEADER_LENGTH]: headers[HEADER_LENGTH] }, Buffer.from(body.buffer)).inputs;
  };

  test.each<[InputTensor, string]>([
    [{ shape: [1], data: Float32Array.of(1) }, 'FP32'],
    [{ shape: [1], data: Float64Array.of(1) }, 'FP64'],
    [{ shape: [1], data: new Float16Array([1]) }, 'FP16'],
    [{ shape: [1], data: BigInt64Array.of(1n) }, 'INT64'],
    [{ shape: [1], data: BigUint64Array.of(1n) }, 'UINT64'],
    [{ shape: [1], data: Int8Array.of(1) }, 'INT8'],
    [{ shape: [1], data: Uint16Array.of(1) }, 'UINT16'],
    [{ shape: [1], data: Buffer.of(1) }, 'UINT8'],
    [{ shape: [2], data: [true, false] }, 'BOOL'],
    [{ shape: [2], data: ['é', 'b'] }, 'BYTES'],
    [{ shape: [2], data: [Uint8Array.of(255), 'b'] }, 'BYTES'],
    [{ shape: [0], datatype: 'BYTES', data: [] }, 'BYTES'],
    [{ shape: [1], datatype: 'BOOL', data: Uint8Array.of(1) }, 'BOOL'],
    [{ shape: [], data: Float32Array.of(1) }, 'FP32'],
  ])('%j is %s', (input, datatype) => {
    expect(read({ x: input })).toMatchObject([{ name: 'x', datatype, shape: input.shape }]);
  });

  test('takes part of a larger buffer as it is', () => {
    const data = Float32Array.of(1, 2, 3).subarray(1);
    const [x] = read({ x: { shape: [2], data } });
    expect(bytesOf(x?.data ?? [])).toEqual(bytesOf(Float32Array.of(2, 3)));
  });

  test.each<[unknown, string]>([
    [{ shape: [1], data: [1] }, 'data is an array with a number, whose datatype is not known'],
    [{ shape: [0], data: [] }, 'data is an empty array, whose datatype is not known'],
    [{ shape: [1], data: 'text' }, 'data is a String, whose datatype is not known'],
    [{ shape: [2], data: Float32Array.of(1) }, 'shape [2] has 2 elements, but data has 1'],
    [{ shape: [-1], data: Float32Array.of(1) }, 'shape must be an array of integers of 0 or more'],
    [{ data: Float32Array.of(1) }, 'shape must be an array'],
    [{ shape: [1], datatype: 'INT64', data: Float32Array.of(1) }, 'INT64 is not carried by a Float32Array'],
    [{ shape: [1], datatype: 'FP32', data: [1] }, 'FP32 is not carried by an array with a number'],
    [{ shape: [1], datatype: 'F32', data: Float32Array.of(1) }, 'there is no datatype F32'],
    [{ shape: [2], data: ['a', 1] }, 'BYTES is not carried by an array with a string'],
  ])('%j is refused before it is sent', (input, says) => {
    const encoding = (): unknown => encodeRequest({ inputs: { x: input as InputTensor } }, 'binary');
    expect(encoding).toThrow(InferenceError);
    expect(encoding).toThrow(`Input "x": ${says}`);
  });

  test('JSON cannot carry bytes that are not UTF-8', () => {
    const inputs = { x: { shape: [1], data: [Uint8Array.of(255)] } };
    expect(() => encodeRequest({ inputs }, 'json')).toThrow('not UTF-8');
  });
});

describe('an answer in JSON', () => {
  const decode = (outputs: string): unknown =>
    decodeAnswer(new TextEncoder().encode(`{"outputs":[${outputs}]}`).buffer, null).outputs;

  test('may be nested, and its long integers are exact', () => {
    expect(decode('{"name":"y","datatype":"INT64","shape":[2,1],"data":[[9007199254740993],[-1]]}')).toEqual({
      y: { datatype: 'INT64', shape: [2, 1], data: BigInt64Array.of(9007199254740993n, -1n) },
    });
  });

  test.each([
    '{"name":"y","datatype":"INT8","shape":[1],"data":[300]}',
    '{"name":"y","datatype":"INT32","shape":[1],"data":[0.5]}',
    '{"name":"y","datatype":"FP32","shape":[1],"data":[null]}',
    '{"name":"y","datatype":"BYTES","shape":[1],"data":[1]}',
    '{"name":"y","datatype":"INT64","shape":[1],"data":[1e30]}',
  ])('%s holds what its datatype cannot', (output) => {
    expect(() => decode(output)).toThrow('output "y" has elements that are not');
  });
});

test('aligned outputs are views of the answer, others are copies', () => {
  const decode = (pad: string): ArrayBuffer[] => {
    const json = `{${pad}"outputs":[{"name":"y","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`;
    const body = Uint8Array.from(Buffer.concat([Buffer.from(json), Buffer.alloc(4)])).buffer;
    const data = decodeAnswer(body, String(json.length)).outputs['y']?.data as Float32Array<ArrayBuffer>;
    return [data.buffer, body];
  };
  const views = ['', ' ', '  ', '   '].map(decode).filter(([data, body]) => data === body);
  expect(views).toHaveLength(1);
});
