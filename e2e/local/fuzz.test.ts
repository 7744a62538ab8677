import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { fuzz } from '../fuzz/fuzz.ts';
import { startTargets } from '../fuzz/start-targets.ts';
import type { Target } from '../fuzz/target.ts';
import type { MeasuredProcess } from '../server/measured-process.ts';

jest.setTimeout(60_000);

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-fuzz-'));
const processes: MeasuredProcess[] = [];
let targets: readonly Target[] = [];
beforeAll(async () => {
  const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
  targets = await startTargets(workplace);
});
afterAll(async () => {
  await Promise.all(processes.map((one) => one.end()));
  rmSync(directory, { recursive: true, force: true });
});

test('no request, however wrong, gets more than the blame for it, and none after it suffers', async () => {
  const { statuses } = await fuzz({ targets, seed: 20_261_124, from: 0, count: 4500, lanes: 8 });
  // It would prove nothing if all were refused, or none.
  for (const status of ['200', '400', '404', 'grpc 0', 'grpc 3', 'grpc 5']) {
    expect(statuses).toMatchObject({ [status]: expect.any(Number) });
  }
  expect(processes.filter(({ ended }) => ended)).toEqual([]);
});
