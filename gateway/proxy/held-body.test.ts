import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HeldBody } from './held-body.ts';

const READ_BYTES = 64 * 1024;

/** What one read brought: its size, and which parts of it belong to the body, in their order. */
const aRead = fc.oneof(
  // Of a stream of HTTP/2 among others.
  fc.record({ size: fc.constant(READ_BYTES), gap: fc.nat(30_000), part: fc.integer({ min: 1, max: 16_384 }) }),
  // All of it.
  fc.integer({ min: 1, max: READ_BYTES }).map((size) => ({ size, gap: 0, part: size })),
  // From a stranger who sends byte by byte.
  fc.record({ size: fc.integer({ min: 1, max: 5_000 }), gap: fc.integer({ min: 6, max: 9 }), part: fc.constant(1) }),
);

function partsOf({ size, gap, part }: { size: number; gap: number; part: number }, read: number): Buffer[] {
  const memory = Buffer.from(new Uint8Array(size).map((_, at) => at + read).buffer);
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += part + gap) parts.push(memory.subarray(at, at + part));
  return parts;
}

test('gives what it took, in its order, also after it was joined', () => {
  fc.assert(
    fc.property(fc.array(aRead, { maxLength: 12 }), fc.nat(100), (reads, joinedAfter) => {
      const body = new HeldBody();
      const parts = reads.flatMap(partsOf);
      for (const [at, part] of parts.entries()) {
        body.add(part);
        if (at === joinedAfter) body.join();
        if (at === 0) expect(body.head(3)).toEqual(part.subarray(0, 3));
      }
      const all = Buffer.concat(parts);
      expect(body.length).toBe(all.length);
      expect(Buffer.concat(body.pieces).equals(all)).toBe(true);
      expect(body.head(5).equals(all.subarray(0, 5))).toBe(true);
      expect(body.join().equals(all)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['a frame of each read, of a stream of HTTP/2 among others', { size: READ_BYTES, gap: READ_BYTES, part: 8_192 }],
  ['small frames of a stream of HTTP/2', { size: READ_BYTES, gap: 9, part: 20 }],
  ['byte by byte', { size: 1, gap: 0, part: 1 }],
  ['small chunks of HTTP/1.1', { size: 1_000, gap: 0, part: 1_000 }],
  ['whole reads', { size: READ_BYTES, gap: 0, part: READ_BYTES }],
])('takes little more memory than it has bytes, and few pieces, if it comes as %s', (_how, read) => {
  const body = new HeldBody();
  for (let count = 0; count < 5_000 && body.length < 1024 * 1024; count += 1)
    partsOf(read, 0).forEach((part) => body.add(part));
  // One more, so that none of these is of the latest read, which is in memory anyway.
  body.add(Buffer.alloc(1));
  const pieces = body.pieces.slice(0, -1);
  const memory = [...new Set(pieces.map(({ buffer }) => buffer))].reduce((sum, one) => sum + one.byteLength, 0);
  expect(memory).toBeLessThan(2 * body.length + READ_BYTES);
  expect(pieces.length).toBeLessThan(2 + body.length / 4_096);
});

test('copies nothing of reads that are its own, be they one piece or frames', () => {
  const body = new HeldBody();
  const whole = Buffer.alloc(READ_BYTES);
  const framed = Buffer.alloc(READ_BYTES);
  const frames = [0, 1, 2, 3].map((at) => framed.subarray(at * 16_384 + 9, (at + 1) * 16_384));
  for (const piece of [whole, ...frames, Buffer.alloc(5_000)]) body.add(piece);
  const [first, ...others] = body.pieces;
  expect(first?.buffer).toBe(whole.buffer);
  for (const piece of others.slice(0, 4)) expect(piece.buffer).toBe(framed.buffer);
});
