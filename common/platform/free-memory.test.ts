import { expect, test } from '@jest/globals';
import { freeBuffer, freeMemory } from './free-memory.ts';

const LARGE = 64 * 1024;

test('gives the memory of a whole buffer back', () => {
  const bytes = Buffer.allocUnsafeSlow(LARGE);
  freeMemory(bytes);
  expect(bytes.byteLength).toBe(0);
});

test('leaves a buffer alone of which others may have the rest', () => {
  const whole = Buffer.allocUnsafeSlow(LARGE + 1);
  freeMemory(whole.subarray(1));
  expect(whole.byteLength).toBe(LARGE + 1);
});

test('leaves alone what is not worth it, what is shared with threads, and what is given back already', () => {
  const small = Buffer.allocUnsafeSlow(100);
  const shared = new Uint8Array(new SharedArrayBuffer(LARGE));
  const freed = Buffer.allocUnsafeSlow(LARGE);
  for (const bytes of [small, shared, freed, freed]) freeMemory(bytes);
  expect([small, shared, freed].map(({ byteLength }) => byteLength)).toEqual([100, LARGE, 0]);
});

test('gives a buffer back of which a part was in use', () => {
  const part = Buffer.allocUnsafeSlow(LARGE).subarray(5, 7);
  freeBuffer(part.buffer);
  expect(part.byteLength).toBe(0);
  expect(() => freeBuffer(part.buffer)).not.toThrow();
});
