import { expect, test } from '@jest/globals';
import { KeyRing } from './key-ring.ts';

const OLD = { id: 'old', secret: 'o'.repeat(43) };
const NEW = { id: 'new', secret: 'n'.repeat(43) };

test('has the keys of all streams, and each id once', () => {
  const ring = new KeyRing();
  expect(ring.ids).toEqual([]);
  ring.set(1, [OLD]);
  ring.set(2, [NEW, OLD]);
  expect(ring.keys).toEqual([OLD, NEW, OLD]);
  expect(ring.ids).toEqual(['old', 'new']);
  ring.drop(1);
  expect(ring.ids).toEqual(['new', 'old']);
  ring.set(2, [NEW]);
  expect(ring.ids).toEqual(['new']);
});

test('keeps the keys of the last stream', () => {
  const ring = new KeyRing();
  ring.set(1, [OLD]);
  ring.drop(1);
  expect(ring.ids).toEqual(['old']);
});
