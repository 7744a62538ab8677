import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { collisionKey, safePath } from './safe-path.ts';

test.each([
  ['./a/b.onnx', 'a/b.onnx'],
  ['a/', 'a'],
  ['mode\u0300le.onnx', 'mod\u00e8le.onnx'],
  ['...', '...'],
])('%j becomes %s', (name, path) => {
  expect(safePath(name)).toBe(path);
});

test.each(['', '.', './', '..', '../a', '/a', 'a/../b', 'a\0b', 'C:a', '\\\\host\\a', 'a\ufffdb', 'x'.repeat(256)])(
  '%j is none',
  (name) => {
    expect(safePath(name)).toBeUndefined();
  },
);

test('whatever it lets through is below the folder', () => {
  const piece = fc.oneof(fc.constantFrom('..', '.', '/', '\\', 'a', '\0', ':', '~', '%2e'), fc.string());
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = safePath(pieces.join(''));
      if (path !== undefined) expect(resolve('/folder', path)).toMatch(/^\/folder\/./);
    }),
    { numRuns: 2000 },
  );
});

test('names collide by case and by form', () => {
  expect(collisionKey('Stra\u00dfe')).toBe(collisionKey('STRASSE'));
  expect(collisionKey('\ufb01le')).toBe(collisionKey('file'));
  expect(collisionKey('a')).not.toBe(collisionKey('b'));
});
