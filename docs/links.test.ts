import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { validateManifests } from '../cli/validate/validate-manifests.ts';
import { anchors, codeBlocks, linkTargets } from './markdown.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = globSync('**/*.md', { cwd: ROOT, exclude: (name) => ['node_modules', 'dist', 'shared'].includes(name) });
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

test('sees the pages', () => {
  expect(PAGES).toEqual(expect.arrayContaining(['README.md', 'docs/README.md', 'examples/digits/README.md']));
});

test.each(PAGES)('every relative link of %s leads to a file, and to a heading in it', (page) => {
  const broken = linkTargets(read(page))
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, file))) return true;
      return anchor !== undefined && !anchors(read(file)).includes(anchor);
    });
  expect(broken).toEqual([]);
});

test.each(PAGES.filter((page) => page === 'README.md' || page.startsWith('docs/')))(
  'every manifest of %s is one that the API takes',
  (page) => {
    const blocks = codeBlocks(read(page));
    const written = blocks.flatMap(({ text }) => [...text.matchAll(/^cat >\S+ <<'END'\n([\s\S]*?)^END$/gm)]);
    const manifests = [
      ...blocks.filter(({ language }) => language === 'yaml').map(({ text }) => text),
      ...written.map(([, text = '']) => text),
    ];
    expect(validateManifests(manifests.map((text) => ({ path: page, text })))).toEqual([]);
  },
);

test.each(PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md'))(
  'the index links to %s',
  (page) => {
    expect(linkTargets(read('docs/README.md')).map((target) => join('docs', target))).toContain(page);
  },
);
