import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { load } from 'js-yaml';

const ROOT = join(import.meta.dirname, '..');

test('the chart has the version of the package, for both come in one release', () => {
  const chart = load(readFileSync(join(ROOT, 'charts/pilotlight/Chart.yaml'), 'utf8'));
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(chart).toMatchObject({ version, appVersion: version });
});
