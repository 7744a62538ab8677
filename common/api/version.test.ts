import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { PRODUCT_VERSION } from './version.ts';

test('the version in the code is the package’s', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as unknown;
  expect(manifest).toHaveProperty('version', PRODUCT_VERSION);
});
