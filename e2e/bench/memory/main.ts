/** Whether the runtime keeps memory. Takes the parts to measure: requests, reloads; both if none is named. Ends with 1 if it does. Needs Linux. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeasuredProcess } from '../../server/measured-process.ts';
import { measureReloads } from './reloads.ts';
import { measureRequests } from './requests.ts';

const PARTS = { requests: measureRequests, reloads: measureReloads };

const asked = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'pilotlight-bench-'));
const processes: MeasuredProcess[] = [];
const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
try {
  for (const [part, measure] of Object.entries(PARTS)) {
    if (asked.length > 0 && !asked.includes(part)) continue;
    if (!(await measure(workplace))) process.exitCode = 1;
  }
} finally {
  await Promise.all(processes.map((one) => one.end()));
  rmSync(directory, { recursive: true, force: true });
}
