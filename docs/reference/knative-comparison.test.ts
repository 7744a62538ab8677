import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readPage } from '../markdown.ts';

const HERE = import.meta.dirname;
const SUITE = join(HERE, '../../e2e/knative');

/** Names of tests with the file in which the page says that they are. */
const links = [...readPage('reference/knative-comparison.md').matchAll(/\[([^\]]+)\]\((\S+\.test\.ts)\)/g)].map(
  ([, name = '', file = '']) => ({ name, file }),
);

test.each(links)('$name is a test of $file', ({ name, file }) => {
  expect(readFileSync(join(HERE, file), 'utf8')).toContain(name);
});

test('every test of the suite is in the page', () => {
  const files = globSync('*.e2e.test.ts', { cwd: SUITE });
  const tests = files.flatMap((file) =>
    [...readFileSync(join(SUITE, file), 'utf8').matchAll(/^test.*\('(Test\w+)/gm)].map(([, name]) => ({
      name,
      file: `../../e2e/knative/${file}`,
    })),
  );
  expect(tests).not.toEqual([]);
  expect(links).toEqual(expect.arrayContaining(tests));
});
