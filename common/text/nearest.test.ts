import { expect, test } from '@jest/globals';
import { nearest } from './nearest.ts';

const FIELDS = ['minReplicas', 'maxReplicas', 'target', 'stableWindowSeconds'];

test.each([
  { name: 'minReplica', meant: 'minReplicas' },
  { name: 'maxreplicas', meant: 'maxReplicas' },
  { name: 'tagret', meant: 'target' },
  { name: 'TARGTE', meant: 'target' },
  { name: 'stableWindow', meant: undefined },
  { name: 'port', meant: undefined },
  { name: '', meant: undefined },
])('$name means $meant', ({ name, meant }) => {
  expect(nearest(name, FIELDS)).toBe(meant);
});

test('a very long name is not compared', () => {
  expect(nearest('x'.repeat(100_000), [`${'x'.repeat(99_999)}y`])).toBeUndefined();
});
