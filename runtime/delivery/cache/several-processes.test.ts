/** One cache that several real processes use, as those of local mode and a pod's runtime after its restart do. */
import { fork, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { zipOf } from '../archive/archive-fixtures.ts';
import { DeliveryFixture, sendFile } from '../delivery-fixture.ts';

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

let fixture: DeliveryFixture;
let processes: ChildProcess[];
beforeEach(() => {
  fixture = new DeliveryFixture();
  processes = [];
});
afterEach(async () => {
  await Promise.all(processes.map((child) => end(child)));
  fixture.close();
});

function start(uri: string, limit = ''): { child: ChildProcess; answer: Promise<{ path?: string; error?: string }> } {
  const program = join(import.meta.dirname, 'fixtures', 'fetching-process.ts');
  const child = fork(program, [uri, fixture.directory, limit], { execArgv: [] });
  processes.push(child);
  const answer = once(child, 'message').then(([message]) => message as { path?: string; error?: string });
  return { child, answer };
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

const fetching = (): string[] => readdirSync(fixture.directory).filter((name) => name.startsWith('fetch@'));

test('that begin to fill it in the same instant all get the model, and leave one', async () => {
  const bytes = zipOf([{ name: 'digits/1/model.onnx', content: Buffer.alloc(3_000_000, 'weights') }]);
  const waiting: (() => void)[] = [];
  const base = await fixture.serve((request, response) => {
    waiting.push(() => sendFile(request, response, bytes));
    if (waiting.length === 4) for (const answer of waiting) answer();
  });
  const answers = await Promise.all(Array.from({ length: 4 }, () => start(`${base}/digits.zip`).answer));
  const path = join(fixture.directory, 'sha256', sha(bytes), 'digits/1/model.onnx');
  expect(answers).toEqual([{ path }, { path }, { path }, { path }]);
  expect(readFileSync(path).equals(Buffer.alloc(3_000_000, 'weights'))).toBe(true);
  expect(readdirSync(join(fixture.directory, 'sha256'))).toEqual([sha(bytes)]);
  expect(readdirSync(join(fixture.directory, 'entries'))).toEqual([`${sha(bytes)}.json`]);
  expect(fetching()).toEqual([]);
});

test('one that is killed in the middle leaves nothing for long', async () => {
  const bytes = Buffer.alloc(1_000_000, 'm');
  let begun: ((response: ServerResponse) => void) | undefined;
  const half = new Promise<ServerResponse>((resolve) => (begun = resolve));
  const base = await fixture.serve((request, response) => {
    if (fixture.requests.length > 1) return sendFile(request, response, bytes);
    response.writeHead(200, { 'content-length': bytes.byteLength });
    response.write(bytes.subarray(0, 500_000), () => begun?.(response));
    return undefined;
  });
  const { child } = start(`${base}/model.onnx`);
  await half;
  await end(child);
  expect(fetching()).toHaveLength(1);
  const { path } = await start(`${base}/model.onnx`).answer;
  expect(path).toBe(join(fixture.directory, 'sha256', sha(bytes)));
  expect(fetching()).toEqual([]);
});

test('one makes no room with what another uses, and does with what none uses any more', async () => {
  const models: Record<string, Buffer> = { '/a': Buffer.alloc(1000, 'a'), '/b': Buffer.alloc(1000, 'b') };
  const base = await fixture.serve((request, response) =>
    sendFile(request, response, models[request.url ?? ''] ?? Buffer.alloc(0), request.url),
  );
  const user = start(`${base}/a`, '1500');
  const { path = '' } = await user.answer;
  await expect(start(`${base}/b`, '1500').answer).resolves.toEqual({ error: expect.stringMatching(/no room/) });
  expect(existsSync(path)).toBe(true);
  await end(user.child);
  await expect(start(`${base}/b`, '1500').answer).resolves.toMatchObject({ path: expect.any(String) });
  expect(existsSync(path)).toBe(false);
});
