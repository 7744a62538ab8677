import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/client.md');
const source = (file: string): string => readFileSync(new URL(`../../client/${file}`, import.meta.url), 'utf8');
const firstColumn = (heading: string): (string | undefined)[] => tableBelow(page, heading).map(([name]) => name);

/** Names of the members of an interface, as they stand in its source. */
function membersOf(file: string, name: string): string[] {
  const [, body = ''] = new RegExp(`export interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(source(file)) ?? [];
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member = '']) => member);
}

test('names everything that is exported, and nothing else', () => {
  const exported = [...source('index.ts').matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== ''),
  );
  expect(firstColumn('## Exports').toSorted()).toEqual(exported.toSorted());
});

test.each([
  ['inference-client.ts', 'ClientOptions'],
  ['connection.ts', 'CallOptions'],
  ['model-client.ts', 'InferOptions'],
  ['model-client.ts', 'InferenceResult'],
])('names exactly the members that %s gives %s', (file, name) => {
  expect(firstColumn(`## ${name}`)).toEqual(membersOf(file, name));
});

test('names the codes of the client', () => {
  const [, type = ''] = /type ClientErrorCode =(.*?)\n\n/s.exec(source('inference-error.ts')) ?? [];
  expect(firstColumn('## InferenceError')).toEqual([...type.matchAll(/\| '([\w-]+)'/g)].map(([, code]) => code));
});
