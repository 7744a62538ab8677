import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { Command } from './command.ts';
import { DIGITS } from './examples.ts';
import { PATIENCE_MILLISECONDS } from './platform.ts';
import { descendants, isAlive, waitUntil, type Process } from './processes.ts';
import { sendRequest } from './request.ts';

jest.setTimeout(60_000);

const ROOT = join(import.meta.dirname, '..', '..');
const EXAMPLE = join(ROOT, 'examples', 'digits');
const REQUEST = join(EXAMPLE, 'request.json');

let folder: string;
const started = new Set<Command>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pilotlight-e2e-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(async () => {
  for (const command of started) await command.terminate();
});

function start(...args: string[]): Command {
  const command = new Command(...args);
  started.add(command);
  return command;
}

/** A manifest of three lines and these. */
function manifest(name: string, ...spec: string[]): string {
  return [
    'apiVersion: pilotlight.dev/v1alpha1',
    'kind: ModelFunction',
    `metadata: { name: ${name} }`,
    'spec:',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function write(text: string): string {
  const file = join(folder, 'function.yaml');
  writeFileSync(file, text);
  return file;
}

/** Ends the command and waits until nothing is left of it. */
async function terminate(command: Command): Promise<number | null> {
  const processes = await descendants(command.pid);
  const { code } = await command.terminate();
  await untilGone(processes);
  return code;
}

function untilGone(processes: readonly Process[]): Promise<void> {
  const left = (): boolean => processes.some(({ pid }) => isAlive(pid));
  return waitUntil('no process of the command is left', () => !left(), PATIENCE_MILLISECONDS);
}

describe('pilotlight validate', () => {
  const model = 'model: { uri: "file:model.onnx" }';
  test.each([
    { mistake: 'what is no YAML', text: 'a: b: c', finding: ':1: is not YAML: ' },
    {
      mistake: 'a wrong kind',
      text: manifest('digits', model).replace('ModelFunction', 'ModelFuncton'),
      finding: ':2: kind: ',
    },
    { mistake: 'a bad name', text: manifest('Digits', model), finding: ':3: metadata.name: ' },
    {
      mistake: 'a missing field',
      text: manifest('digits', 'timeoutSeconds: 1'),
      finding: ':4: spec.model: Required value',
    },
    {
      mistake: 'a misspelt field',
      text: manifest('digits', model, 'timeoutSecond: 1'),
      finding: ':6: spec.timeoutSecond: unknown field',
    },
    {
      mistake: 'a wrong type',
      text: manifest('digits', model, 'timeoutSeconds: soon'),
      finding: ':6: spec.timeoutSeconds: ',
    },
    {
      mistake: 'a value out of bounds',
      text: manifest('digits', model, 'timeoutSeconds: 0'),
      finding: ':6: spec.timeoutSeconds: ',
    },
    {
      mistake: 'a word that is no choice',
      text: manifest('digits', model, 'visibility: Public'),
      finding: ':6: spec.visibility: Unsupported value',
    },
    {
      mistake: 'a rule across fields',
      text: manifest('digits', model, 'scaling:', '  maxReplicas: 1', '  minReplicas: 2'),
      finding: ':8: spec.scaling.minReplicas: ',
    },
    {
      mistake: 'a scheme that nobody fetches',
      text: manifest('digits', 'model: { uri: "ftp://a/b" }'),
      finding: ':5: spec.model.uri: ',
    },
  ])('names file, line, field and rule of $mistake', async ({ text, finding }) => {
    const file = write(text);
    const { code, out } = await start('validate', file).ended();
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(`${file}${finding}`) });
  });

  test('has nothing to say about the examples', async () => {
    expect(await start('validate', EXAMPLE).ended()).toEqual({ code: 0, out: '', err: '' });
  });
});

test('pilotlight serve answers requests, and ends with everything it started', async () => {
  const serve = start('serve', join(EXAMPLE, 'model.onnx'), '--name', 'digits', '--port', '0', '--metrics-port', '0');
  const [, url = ''] = await serve.line(/is ready at (\S+)$/);
  const { status, json } = await sendRequest(`${url}/infer`, { method: 'POST', body: DIGITS.request });
  expect(status).toBe(200);
  expect(compareOutputs(json as unknown as JsonAnswer, DIGITS.expected)).toEqual([]);
  expect(await terminate(serve)).toBe(0);
});

test('pilotlight serve of what is no model fails and says why', async () => {
  const { code, err } = await start('serve', REQUEST, '--port', '0', '--metrics-port', '0').ended();
  expect(code).toBe(1);
  expect(err).toMatch(/ONNX Runtime cannot load the model at file:\S+request\.json/);
});

describe('pilotlight local', () => {
  test('refuses a wrong manifest with file, line and rule', async () => {
    const file = write(
      manifest('digits', 'model: { uri: "file:model.onnx" }', 'scaling: { minReplicas: 2, maxReplicas: 1 }'),
    );
    const { code, err } = await start('local', file, '--port', '0', '--metrics-port', '0').ended();
    expect(code).toBe(1);
    expect(err).toContain(`${file}:6: spec.scaling.minReplicas: `);
    expect(err).toContain('must be less than or equal to `maxReplicas`');
  });

  test('runs a manifest, follows its edits, serves invoke, and ends with everything it started', async () => {
    cpSync(join(EXAMPLE, 'model.onnx'), join(folder, 'model.onnx'));
    const file = write(manifest('digits', 'model: { uri: "file:model.onnx" }'));
    const local = start('local', folder, '--port', '0', '--metrics-port', '0');
    const [, gateway = ''] = await local.line(/^Gateway {2}(\S+)$/);
    await local.line(/^digits {2}Ready/);

    const invoke = (name: string): Promise<{ code: number | null; out: string; err: string }> =>
      start('invoke', name, '--data', REQUEST, '--gateway', gateway).ended();
    const { code, out, err } = await invoke('digits');
    expect(code).toBe(0);
    expect(compareOutputs(JSON.parse(out) as JsonAnswer, DIGITS.expected)).toEqual([]);
    expect(err).toMatch(/^200 in [\d.]+ ms, .*revision digits-00001$/);

    // As most editors save: another file that takes the place of this one.
    writeFileSync(join(folder, 'draft'), manifest('figures', 'model: { uri: "file:model.onnx" }', 'timeoutSeconds: 0'));
    renameSync(join(folder, 'draft'), file);
    await local.line(/function\.yaml:6: spec\.timeoutSeconds: /);
    expect((await invoke('digits')).code).toBe(0);

    writeFileSync(join(folder, 'draft'), manifest('figures', 'model: { uri: "file:model.onnx" }', 'timeoutSeconds: 1'));
    renameSync(join(folder, 'draft'), file);
    await local.line(/^modelfunction\/digits deleted$/);
    await local.line(/^figures {2}Ready/);
    expect((await invoke('figures')).code).toBe(0);
    const gone = await invoke('digits');
    expect({ code: gone.code, out: gone.out }).toEqual({ code: 1, out: expect.stringContaining('unknown-function') });

    expect(await terminate(local)).toBe(0);
  });

  test('a kill leaves no pod behind', async () => {
    const local = start('local', EXAMPLE, '--port', '0', '--metrics-port', '0');
    await local.line(/^digits {2}Ready/);
    const processes = await descendants(local.pid);
    const platform = processes.find(({ parent }) => parent === local.pid);
    expect(processes.filter(({ command }) => command.includes('runtime.js'))).not.toEqual([]);
    process.kill(platform?.pid ?? local.pid, 'SIGKILL');
    await local.ended();
    await untilGone(processes);
  });
});
