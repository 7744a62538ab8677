import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { findExternalData } from './external-data.ts';
import {
  externalTensor,
  graphAttribute,
  initializer,
  inlineTensor,
  modelOf,
  modelWithData,
  node,
  tensorAttribute,
} from './onnx-fixtures.ts';

const directory = mkdtempSync(join(tmpdir(), 'external-data-'));
afterAll(() => rmSync(directory, { recursive: true }));

function find(bytes: Buffer): string[] {
  const path = join(directory, 'model.onnx');
  writeFileSync(path, bytes);
  return findExternalData(path);
}

test('finds each file once, wherever the graph hides it', () => {
  const model = modelOf(
    initializer(inlineTensor(300_000)),
    initializer(externalTensor('a.bin')),
    node(tensorAttribute(externalTensor('folder/b.bin'))),
    node(
      graphAttribute(initializer(externalTensor('c.bin')), node(graphAttribute(initializer(externalTensor('d.bin'))))),
    ),
    initializer(externalTensor('a.bin')),
  );
  expect(find(model)).toEqual(['a.bin', 'folder/b.bin', 'c.bin', 'd.bin']);
});

test.each([
  ['behind a group', [0xa3, 0x06, 0x08, 0x01, 0xab, 0x06, 0xac, 0x06, 0xa4, 0x06], [0x3a]],
  ['in a field whose number is written in more bits than there are', [], [0xba, 0x80, 0x80, 0x80, 0x10]],
])('finds files that ONNX Runtime would: %s', (_, before, tag) => {
  const model = modelWithData('w.bin');
  const graph = model.indexOf(0x3a);
  const bytes = [model.subarray(0, graph), Buffer.from(before), Buffer.from(tag), model.subarray(graph + 1)];
  expect(find(Buffer.concat(bytes))).toEqual(['w.bin']);
});

test('finds all of them or says so', () => {
  const names = Array.from({ length: 10_001 }, (_, index) => `${index}.bin`);
  expect(find(modelWithData(...names.slice(1)))).toHaveLength(10_000);
  expect(() => find(modelWithData(...names))).toThrow(
    expect.objectContaining({ reason: 'ModelInvalid', message: expect.stringMatching(/more than 10000 files/) }),
  );
  const path = join(directory, 'many.onnx');
  writeFileSync(path, modelWithData('a', 'b'));
  expect(findExternalData(path, 19)).toEqual(['a', 'b']);
  expect(() => findExternalData(path, 18)).toThrow(/too many parts/);
});

test('looks no further into what is no protobuf from its first byte on', () => {
  const path = join(directory, 'zeros.onnx');
  writeFileSync(path, Buffer.alloc(1000));
  expect(findExternalData(path, 1)).toEqual([]);
});

test('finds none in a model that has its weights in itself', () => {
  expect(findExternalData(join(import.meta.dirname, '../../examples/digits/model.onnx'))).toEqual([]);
});

test('ends, and throws nothing, whatever the file is', () => {
  const model = modelWithData('a.bin', 'b.bin');
  const damaged = fc.tuple(fc.nat(model.byteLength - 1), fc.nat(255)).map(([position, byte]) => {
    const bytes = Buffer.from(model);
    bytes[position] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), (bytes) => {
      expect(Array.isArray(find(bytes))).toBe(true);
    }),
    { numRuns: 500 },
  );
});
