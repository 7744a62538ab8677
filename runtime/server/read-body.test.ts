/** How a body lies in memory; what is refused of it is held by the server's tests. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readBody, type Body } from './read-body.ts';

/** As from a connection that brings these pieces. */
function read(pieces: readonly Uint8Array[], headers: Record<string, string>): Promise<Body> {
  const request = new Readable({ read: () => undefined });
  for (const piece of pieces) if (piece.length > 0) request.push(Buffer.from(piece));
  request.push(null);
  return readBody(Object.assign(request, { headers }) as unknown as IncomingMessage, {
    maxBodyBytes: 10_000,
    take: () => true,
  });
}

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 8 });

test('a body is what came, whatever its pieces', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, fc.boolean(), fc.nat(100), async (given, isLengthKnown, jsonLength) => {
      const whole = Buffer.concat(given);
      const length = isLengthKnown ? { 'content-length': String(whole.length) } : { 'transfer-encoding': 'chunked' };
      const { bytes } = await read(given, { ...length, 'inference-header-content-length': String(jsonLength) });
      expect(bytes.equals(whole)).toBe(true);
    }),
  );
});

test('tensors behind the JSON of a body in pieces are aligned for any datatype, in a buffer of their own', async () => {
  const half = new Uint8Array(500);
  for (let jsonLength = 0; jsonLength < 16; jsonLength += 1) {
    const headers = { 'content-length': '1000', 'inference-header-content-length': String(jsonLength) };
    const { bytes, isOwn } = await read([half, half], headers);
    expect((bytes.byteOffset + jsonLength) % 8).toBe(0);
    expect(bytes.buffer.byteLength).toBe(bytes.byteOffset + 1000);
    expect(isOwn).toBe(true);
  }
});

test('a header that is no number does no harm', async () => {
  const headers = { 'content-length': '2', 'inference-header-content-length': 'x' };
  const { bytes } = await read([Uint8Array.of(1), Uint8Array.of(2)], headers);
  expect([...bytes]).toEqual([1, 2]);
});

test('a body in a part of a buffer is not said to have the buffer', async () => {
  const [piece] = [Buffer.alloc(100).subarray(1)];
  const request = Object.assign(new Readable({ read: () => undefined }), { headers: { 'content-length': '99' } });
  request.push(piece);
  request.push(null);
  const limits = { maxBodyBytes: 10_000, take: (): boolean => true };
  expect((await readBody(request as unknown as IncomingMessage, limits)).isOwn).toBe(false);
});
