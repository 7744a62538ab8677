import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { ByteCollector } from './byte-collector.ts';

test('puts pieces of any size together, and leaves the pieces as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), fc.nat({ max: 2_000 }), (parts, expected) => {
      const pieces = parts.map((part) => Buffer.from(part));
      const before = Buffer.concat(pieces);
      const collector = new ByteCollector(expected);
      for (const piece of pieces) collector.push(piece);
      expect(collector.bytes.equals(before)).toBe(true);
      expect(collector.length).toBe(before.length);
      expect(Buffer.concat(pieces).equals(before)).toBe(true);
    }),
  );
});

test('does not copy a single piece', () => {
  const collector = new ByteCollector(1_000);
  const piece = Buffer.from('abc');
  collector.push(piece);
  expect(collector.bytes.buffer).toBe(piece.buffer);
  expect(collector.bytes.byteOffset).toBe(piece.byteOffset);
});

test('takes no more than twice the memory of what came in, however small the pieces', () => {
  const collector = new ByteCollector();
  for (let count = 0; count < 100_000; count += 1) collector.push(Buffer.alloc(1, count));
  expect(collector.length).toBe(100_000);
  expect(collector.bytes.buffer.byteLength).toBeLessThanOrEqual(200_000);
});

test('takes what it was told to expect at once', () => {
  const collector = new ByteCollector(100_000);
  collector.push(Buffer.alloc(1));
  collector.push(Buffer.alloc(1));
  const { buffer } = collector.bytes;
  collector.push(Buffer.alloc(99_998));
  expect(collector.bytes.buffer).toBe(buffer);
});
