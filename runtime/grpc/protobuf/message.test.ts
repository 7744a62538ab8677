import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import * as messages from '../messages.ts';
import { STRING } from './kinds.ts';
import { message, repeated, single, type MessageType } from './message.ts';

const root = protobuf.parse(readFileSync(join(import.meta.dirname, '../proto/inference.proto'), 'utf8'), {
  keepCase: true,
}).root;

/** What protobuf's own library makes of a value, and reads from bytes. */
const theirs = (name: string) => {
  const type = root.lookupType(`inference.${name}`);
  return {
    encode: (value: object) => Buffer.from(type.encode(type.fromObject(value)).finish()),
    decode: (bytes: Uint8Array) => type.toObject(type.decode(bytes), { longs: Number, enums: Number, defaults: true }),
  };
};

const size = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const safe = fc.maxSafeInteger();
const name = fc.string({ unit: 'binary', maxLength: 5 });
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));
const parameter = fc.oneof(
  fc.record({ bool_param: fc.boolean() }),
  fc.record({ int64_param: safe }),
  fc.record({ string_param: name }),
  fc.record({ double_param: fc.double({ noNaN: true }) }),
  fc.record({ uint64_param: fc.maxSafeNat() }),
);
const parameters = fc.dictionary(fc.string({ maxLength: 5 }), parameter, { maxKeys: 3 });
const tensor = fc.record({ name, datatype: name, shape: fc.array(size, { maxLength: 4 }), parameters });

const asMaps = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(asMaps);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      key === 'parameters' ? new Map(Object.entries(item as object)) : asMaps(item),
    ]),
  );
};
/** Maps as objects, without what is undefined. */
const plain = (value: unknown): unknown => {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return [...value];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, plain(item)]])),
  );
};

const CASES: Record<string, [MessageType<object>, fc.Arbitrary<object>]> = {
  ModelInferRequest: [
    messages.ModelInferRequest as unknown as MessageType<object>,
    fc.record({
      model_name: name,
      model_version: name,
      id: name,
      parameters,
      inputs: fc.array(tensor, { maxLength: 3 }),
      outputs: fc.array(fc.record({ name, parameters }), { maxLength: 3 }),
      raw_input_contents: fc.array(bytes, { maxLength: 3 }),
    }),
  ],
  ModelInferResponse: [
    messages.ModelInferResponse as unknown as MessageType<object>,
    fc.record({
      model_name: name,
      model_version: name,
      id: name,
      parameters,
      outputs: fc.array(tensor, { maxLength: 3 }),
      raw_output_contents: fc.array(bytes, { maxLength: 3 }),
    }),
  ],
  ModelMetadataResponse: [
    messages.ModelMetadataResponse as unknown as MessageType<object>,
    fc.record({
      name,
      versions: fc.array(name),
      platform: name,
      inputs: fc.array(fc.record({ name, datatype: name, shape: fc.array(size) })),
      outputs: fc.constant([]),
    }),
  ],
  ModelConfigResponse: [
    messages.ModelConfigResponse as unknown as MessageType<object>,
    fc.record({
      config: fc.record({
        name,
        platform: name,
        max_batch_size: size,
        input: fc.array(fc.record({ name, data_type: fc.nat(14), dims: fc.array(size) })),
        output: fc.array(fc.record({ name, data_type: fc.nat(14), dims: fc.array(size) })),
        dynamic_batching: fc.record({ max_queue_delay_microseconds: fc.maxSafeNat() }),
        backend: name,
      }),
    }),
  ],
  ModelStatisticsResponse: [
    messages.ModelStatisticsResponse as unknown as MessageType<object>,
    fc.record({
      model_stats: fc.tuple(
        fc.record({
          name,
          version: name,
          last_inference: fc.maxSafeNat(),
          inference_count: fc.maxSafeNat(),
          execution_count: fc.maxSafeNat(),
          inference_stats: fc.record({ success: fc.record({ count: fc.maxSafeNat(), ns: fc.maxSafeNat() }) }),
          batch_stats: fc.array(
            fc.record({ batch_size: fc.nat(), compute_infer: fc.record({ count: fc.nat(), ns: fc.nat() }) }),
          ),
        }),
      ),
    }),
  ],
  RepositoryIndexResponse: [
    messages.RepositoryIndexResponse as unknown as MessageType<object>,
    fc.record({ models: fc.array(fc.record({ name, version: name, state: name, reason: name })) }),
  ],
};

test.each(Object.entries(CASES))(
  'what is written of %s is read alike by protobuf’s own library, and the other way round',
  (type, [ours, values]) => {
    const reference = theirs(type);
    fc.assert(
      fc.property(values, (value) => {
        const written = ours.encode(asMaps(value) as object);
        expect(plain(reference.decode(written))).toMatchObject(plain(value) as object);
        expect(plain(ours.decode(reference.encode(value)))).toMatchObject(plain(value) as object);
      }),
      { numRuns: 60 },
    );
  },
);

test.each([
  ['a number that does not end', 'ffffffffffffffffffffff', 'longer than ten bytes'],
  ['a number that ends too early', '0a', 'ends in the middle of a number'],
  ['a length past the end', '0a05aa', 'goes past its end'],
  ['a length of more than 4 GiB', '0affffffff7f', 'goes past its end'],
  ['field 0', '0000', 'no valid number'],
  ['a group', '13', 'wire type 3'],
  ['a text that is not UTF-8', '0a02c328', 'not UTF-8'],
  ['another type than the field has', '0801', 'field 1 is of another type'],
  ['too many names', '0a000a000a00', 'repeats more than 2 times'],
])('%s is refused', (_what, hex, reason) => {
  const names = message({ names: repeated(1, STRING, 2) });
  expect(() => names.decode(Buffer.from(hex, 'hex'))).toThrow(reason);
});

test('fields that are not known are passed over', () => {
  const type = message({ name: single(2, STRING) });
  const bytes = theirs('RepositoryIndexRequest').encode({ repository_name: 'x', ready: true });
  expect(
    type.decode(Buffer.concat([Buffer.from('0a0178', 'hex'), bytes.subarray(0, 3), Buffer.from('12026162', 'hex')])),
  ).toEqual({
    name: 'ab',
  });
});

test('whatever bytes come, they are read or refused', () => {
  const valid = theirs('ModelInferRequest').encode({
    model_name: 'digits',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }],
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 4 }), (changes) => {
      const mutated = Buffer.from(valid);
      for (const [at, byte] of changes) mutated[at] = byte;
      try {
        messages.ModelInferRequest.decode(mutated);
      } catch (error) {
        expect((error as Error).name).toBe('ProtocolError');
      }
    }),
    { numRuns: 500 },
  );
});
