/** Requests that carry random tensors, and documents that resemble a request, for property tests. */
import fc from 'fast-check';
import type { Tensor } from '../inference.ts';
import { encodeJsonElements } from './encode-json-elements.ts';
import { tensors } from './tensor.arbitrary.ts';

export interface RequestBytes {
  readonly inputs: readonly Tensor[];
  readonly json: Buffer;
  /** Of the tensors that are binary, in their order; they follow the JSON. */
  readonly blobs: readonly Uint8Array[];
}

/** Each tensor as JSON or as bytes, at any alignment. */
export const requests: fc.Arbitrary<RequestBytes> = fc
  .tuple(tensors, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.nat(8))
  .map(([inputs, binary, pad]) => {
    const parts = inputs.map((tensor, index) => {
      const { name, datatype, shape } = tensor;
      const start = JSON.stringify({ name, datatype, shape }).slice(0, -1);
      return binary[index] === true
        ? `${start},"parameters":{"binary_data_size":${tensor.data.length}}}`
        : `${start},"data":${encodeJsonElements(tensor)}}`;
    });
    const json = Buffer.from(`{"inputs":[${parts.join(',')}]${' '.repeat(pad)}}`);
    return { inputs, json, blobs: inputs.filter((_, index) => binary[index] === true).map(({ data }) => data) };
  });

const value = fc.jsonValue({ maxDepth: 3 });
const odd = (usual: unknown): fc.Arbitrary<unknown> => fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, value);

const oddTensor = fc.record(
  {
    name: odd('x'),
    datatype: fc.oneof(odd('FP32'), fc.constantFrom('INT64', 'BYTES', 'BOOL', 'FP16')),
    shape: fc.oneof(odd([1, 2]), fc.constant([1e9, 1e9]), fc.constant([0, 2 ** 31])),
    data: odd([1, 2]),
    parameters: fc.oneof(value, fc.record({ binary_data_size: odd(8) })),
  },
  { requiredKeys: ['name', 'datatype'] },
);

/** A request of which any part may be any JSON. */
export const oddDocuments: fc.Arbitrary<object> = fc.record(
  {
    id: odd('a'),
    parameters: odd({ binary_data_output: true }),
    inputs: fc.oneof(fc.array(oddTensor), value),
    outputs: fc.oneof(fc.array(fc.record({ name: odd('y'), parameters: odd({ binary_data: true }) })), value),
  },
  { requiredKeys: ['inputs'] },
);
