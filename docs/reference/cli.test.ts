import { expect, test } from '@jest/globals';
import type { Command } from '../../cli/command.ts';
import { clientTypes } from '../../cli/client-types/client-types.ts';
import { invoke } from '../../cli/invoke/invoke.ts';
import { local } from '../../cli/local/local.ts';
import { main } from '../../cli/main.ts';
import { serve } from '../../cli/serve/serve.ts';
import { simulate } from '../../cli/simulate/simulate.ts';
import { validate } from '../../cli/validate/validate.ts';
import { readPage, tableBelow } from '../markdown.ts';

const page = readPage('reference/cli.md');
const COMMANDS: Record<string, Command> = { local, invoke, 'client-types': clientTypes, serve, validate, simulate };
const WITH_OPTIONS = Object.values(COMMANDS).filter(({ options }) => Object.keys(options).length > 0);

test('describes the commands that there are', async () => {
  const out: string[] = [];
  await main(['--help'], {
    out: (line) => out.push(line),
    err: () => undefined,
    environment: {},
    interrupted: new AbortController().signal,
  });
  const there = [...out.join('\n').matchAll(/^ {2}([\w-]+) {2,}/gm)].map(([, name]) => name);
  expect([...page.matchAll(/^## ([\w-]+)$/gm)].map(([, name]) => name)).toEqual(there);
  expect(Object.keys(COMMANDS)).toEqual(there);
});

test.each(Object.values(COMMANDS))('shows the usage of $name', ({ name, positionals }) => {
  expect(page).toContain(`\n\`pilotlight ${name} ${positionals} [options]\`\n`);
});

test.each(WITH_OPTIONS)('lists exactly the options of $name', ({ name, options }) => {
  expect(tableBelow(page, `## ${name}`)).toEqual(
    Object.entries(options).map(([option, { value = '', default: fallback = '', description }]) => [
      `--${option}`,
      value,
      fallback,
      description,
    ]),
  );
});
