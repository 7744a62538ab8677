import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, jest, test } from '@jest/globals';
import { DIGITS, VOICE_ACTIVITY, type Example } from '../local/examples.ts';
import { compareOutputs } from '../../examples/compare-outputs.ts';
import type { MeasuredProcess } from '../server/measured-process.ts';
import { startRuntime, type Server } from '../server/start-runtime.ts';

// The first session of a process makes the GPU's context, which may take many seconds.
jest.setTimeout(300_000);

const PROVIDER = process.env['PROVIDER'] ?? 'CUDA';
const directory = mkdtempSync(join(tmpdir(), 'pilotlight-gpu-'));
const processes: MeasuredProcess[] = [];
const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.end()));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const EXAMPLES = { digits: DIGITS, 'voice-activity': VOICE_ACTIVITY };

test.each(Object.entries(EXAMPLES))('%s gives on it what it gives on a CPU', async (name, example) => {
  const server = await start(name, example, [PROVIDER]);
  expect(await provider(server, name)).toBe(PROVIDER);
  const answer = await infer(server, name, example.request);
  expect(answer.status).toBe(200);
  expect(compareOutputs((await answer.json()) as Example['expected'], example.expected)).toEqual([]);
});

test('two sessions share it, and batches are taken apart as on a CPU', async () => {
  const server = await start('digits', DIGITS, [PROVIDER], 2);
  const answers = await Promise.all(Array.from({ length: 64 }, () => infer(server, 'digits', DIGITS.request)));
  for (const answer of answers) {
    expect(compareOutputs((await answer.json()) as Example['expected'], DIGITS.expected)).toEqual([]);
  }
});

test('a request that is wrong does it no harm', async () => {
  const server = await start('digits', DIGITS, [PROVIDER]);
  expect((await infer(server, 'digits', '{"inputs":[]}')).status).toBe(400);
  expect((await infer(server, 'digits', DIGITS.request)).status).toBe(200);
});

function start(name: string, { uri }: Example, executionProviders: string[], instances = 1): Promise<Server> {
  return startRuntime(workplace, { name, path: new URL(uri).pathname }, { executionProviders, instances });
}

function infer({ port }: Server, name: string, body: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/v2/models/${name}/infer`, { method: 'POST', body });
}

/** The first that is in use. */
async function provider({ port }: Server, name: string): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/v2/models/${name}`);
  const { parameters } = (await answer.json()) as { readonly parameters: { readonly execution_providers: string } };
  return parameters.execution_providers.split(',')[0];
}
