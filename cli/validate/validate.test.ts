import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { UsageError } from '../command.ts';
import { validate } from './validate.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'validate-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function run(...paths: string[]): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const terminal = {
    out: (line: string) => void lines.push(line),
    err: () => undefined,
    environment: {},
    interrupted: new AbortController().signal,
  };
  return { code: await validate.run(paths, {}, terminal), lines };
}

test('passes the examples', async () => {
  const examples = join(import.meta.dirname, '../../examples');
  expect(await run(join(examples, 'digits'), join(examples, 'voice-activity'))).toEqual({ code: 0, lines: [] });
});

test('fails with each finding of a bad manifest', async () => {
  const file = join(folder, 'function.yaml');
  writeFileSync(file, 'kind: ModelFunction\n');
  expect(await run(file)).toEqual({ code: 1, lines: [`${file}:1: apiVersion: must be pilotlight.dev/v1alpha1`] });
});

test('does not fail for a warning', async () => {
  const file = join(folder, 'secret.yaml');
  writeFileSync(file, 'apiVersion: v1\nkind: Secret\n');
  expect((await run(file)).code).toBe(0);
});

test('wants a path', async () => {
  await expect(run()).rejects.toThrow(UsageError);
});
