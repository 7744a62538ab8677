/** Who may import whom. A process stays deployable alone, and a heavy dependency stays where it belongs, only if this holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = import.meta.dirname;
const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*'([^']+)'|import\(\s*'([^']+)'|(?:^|\n)\s*import\s*'([^']+)'/g;

/** Folders of this repository that a file in the folder may import from. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  common: ['common'],
  operator: ['operator', 'common'],
  gateway: ['gateway', 'common'],
  runtime: ['runtime', 'common'],
  client: ['client', 'common'],
  cli: ['cli', 'client', 'common', 'operator', 'gateway', 'runtime'],
};

/** Folders that tests of the folder may import from too. */
const TESTED_AGAINST: Record<string, readonly string[]> = { client: ['runtime'] };

/** Packages that only one folder may import. */
const ONLY_IN: Record<string, string> = {
  '@kubernetes/client-node': 'operator/cluster/kubernetes/',
  'onnxruntime-node': 'runtime/model/',
};

interface Import {
  readonly file: string;
  readonly target: string;
}

function importsOf(folder: string): Import[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [...readFileSync(path, 'utf8').matchAll(IMPORT)].map((match) => {
        const specifier = match[1] ?? match[2] ?? match[3] ?? '';
        const target = specifier.startsWith('.') ? relative(ROOT, join(dirname(path), specifier)) : specifier;
        return { file: relative(ROOT, path), target };
      });
    });
}

test.each(Object.keys(MAY_IMPORT))('%s imports only from the folders it may', (folder) => {
  const allowed = MAY_IMPORT[folder] ?? [];
  const inTests = [...allowed, ...(TESTED_AGAINST[folder] ?? [])];
  const wrong = importsOf(folder).filter(({ file, target }) => {
    const top = target.split('/')[0] ?? '';
    return top in MAY_IMPORT && !(file.endsWith('.test.ts') ? inTests : allowed).includes(top);
  });
  expect(wrong).toEqual([]);
});

test.each(Object.entries(ONLY_IN))('%s is imported only in %s', (name, home) => {
  const wrong = Object.keys(MAY_IMPORT)
    .flatMap(importsOf)
    .filter(({ file, target }) => (target === name || target.startsWith(`${name}/`)) && !file.startsWith(home));
  expect(wrong).toEqual([]);
});

test('the check sees imports at all', () => {
  expect(importsOf('common')).toContainEqual({ file: 'common/wire/routes.ts', target: 'common/wire/announcement.ts' });
});
