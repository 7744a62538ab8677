import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { RUNTIME_ALLOCATOR, RUNTIME_NODE_FLAGS } from '../../common/wire/runtime-environment.ts';
import { packTexts } from '../protocol/packed-texts.ts';

const MIB = 2 ** 20;
const LIMIT = 200 * MIB;
const ELEMENTS = 250_000;

let child: ChildProcess | undefined;

afterEach(async () => {
  if (child?.kill('SIGKILL') === true) await once(child, 'exit');
});

/** Bytes, by its name in /proc. */
function memoryOf(name: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${String(child?.pid)}/status`, 'utf8');
  return 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]);
}

// Twelve such requests took 1.5 GiB at once where nothing bounded them; with this bound at most 1.2 times the bound.
test('many small elements at once take no more memory than requests may, and what is refused can come again', async () => {
  child = fork(join(import.meta.dirname, 'fixtures', 'bounded-runtime.ts'), [String(LIMIT)], {
    execArgv: [...RUNTIME_NODE_FLAGS],
    env: { ...process.env, ...RUNTIME_ALLOCATOR },
  });
  const [port] = (await once(child, 'message')) as [number];
  const before = memoryOf('VmRSS');
  const data = packTexts(Array<string>(ELEMENTS).fill('x'.repeat(20)));
  const parameters = { binary_data_size: data.length };
  const input = { name: 'text', datatype: 'BYTES', shape: [1, ELEMENTS], parameters };
  const json = JSON.stringify({ inputs: [input], parameters: { binary_data_output: true } });
  const infer = async (): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/models/strings/infer`, {
      method: 'POST',
      headers: { 'inference-header-content-length': String(json.length) },
      body: new Blob([json, data]),
    });
    const bytes = await answer.arrayBuffer();
    if (answer.status === 200) expect(bytes.byteLength).toBeGreaterThan(data.length);
    return answer.status;
  };
  const statuses = new Set(await Promise.all(Array.from({ length: 12 }, infer)));
  expect([...statuses].filter((status) => status !== 200 && status !== 429)).toEqual([]);
  expect(memoryOf('VmHWM') - before).toBeLessThan(2 * LIMIT);
  expect(await infer()).toBe(200);
}, 60_000);
