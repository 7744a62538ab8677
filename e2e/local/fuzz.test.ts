import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { fuzz, type Target } from '../fuzz/fuzz.ts';
import { SEEDS } from '../fuzz/seeds.ts';
import type { MeasuredProcess } from '../server/measured-process.ts';
import { startRuntime } from '../server/start-runtime.ts';

jest.setTimeout(60_000);

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-fuzz-'));
const processes: MeasuredProcess[] = [];
const targets: Target[] = [];
beforeAll(async () => {
  const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
  targets.push(
    ...(await Promise.all(SEEDS.map(async (seed) => ({ seed, server: await startRuntime(workplace, seed) })))),
  );
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.end()));
  rmSync(directory, { recursive: true, force: true });
});

test('no request, however wrong, gets more than the blame for it, and none after it suffers', async () => {
  const { statuses } = await fuzz({ targets, seed: 20_261_124, from: 0, count: 3000, lanes: 8 });
  // It would prove nothing if all were refused, or none.
  expect(statuses).toMatchObject({ 200: expect.any(Number), 400: expect.any(Number), 404: expect.any(Number) });
  expect(processes.filter(({ ended }) => ended)).toEqual([]);
});
