import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { jsonCopy, jsonEqual, mergePatch } from './json.ts';

test('a copy equals its original, and a changed one does not', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(jsonEqual(a, jsonCopy(a))).toBe(true);
      expect(jsonEqual({ a, b }, { b, a })).toBe(true);
      expect(jsonEqual(a, b)).toBe(canonical(a) === canonical(b));
    }),
  );
});

test.each([
  [{ a: undefined }, {}, true],
  [{}, { a: undefined }, true],
  [{}, { a: null }, false],
  [[], {}, false],
  [[1], [1, 2], false],
  [null, {}, false],
])('jsonEqual(%j, %j) is %s', (a, b, want) => {
  expect(jsonEqual(a, b)).toBe(want);
});

// The examples of RFC 7386, appendix A.
test.each<[unknown, unknown, unknown]>([
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])('merging into %j the patch %j gives %j', (target, patch, want) => {
  expect(mergePatch(target, patch)).toEqual(want);
});

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`;
}
