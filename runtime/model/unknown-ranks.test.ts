import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { findUnknownRanks } from './unknown-ranks.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

test('an input whose type has no shape may have any, and no other may, scalars included', () => {
  for (const name of readdirSync(FIXTURES).filter((file) => file.endsWith('.onnx'))) {
    expect([name, ...findUnknownRanks(join(FIXTURES, name))]).toEqual(name === 'any-shape.onnx' ? [name, 'x'] : [name]);
  }
});

test('what is no model has none', () => {
  expect(findUnknownRanks(import.meta.filename).size).toBe(0);
});
