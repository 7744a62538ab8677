import { expect, test } from '@jest/globals';
import { contains } from './contains.ts';

test.each([
  ['more fields', { a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } }, true],
  ['more fields in an item', { ports: [{ port: 80, protocol: 'TCP' }] }, { ports: [{ port: 80 }] }, true],
  ['another value', { a: 1 }, { a: 2 }, false],
  ['a missing field', {}, { a: 1 }, false],
  ['one item more', { ports: [{ port: 80 }, { port: 81 }] }, { ports: [{ port: 80 }] }, false],
  ['another order', [1, 2], [2, 1], false],
  ['text where a map is wanted', 'a', { a: 1 }, false],
  ['nothing where a list is wanted', undefined, [], false],
  ['null where a map is wanted', { a: null }, { a: {} }, false],
])('%s', (_name, actual, wanted, want) => {
  expect(contains(actual, wanted)).toBe(want);
});
