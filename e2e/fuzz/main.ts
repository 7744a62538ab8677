/**
 * A million hostile exchanges with running servers: a runtime for each model of the seeds, by HTTP and by gRPC, and a gateway in front of them. SEED, FROM
 * and COUNT choose them; a failure prints those of its own. Ends with 1 if a server answers as it must not, dies, hangs, or keeps memory or a request.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { MeasuredProcess } from '../server/measured-process.ts';
import { fuzz, FuzzFailure } from './fuzz.ts';
import { startTargets } from './start-targets.ts';
import type { Target } from './target.ts';

const COUNT = Number(process.env['COUNT'] ?? 1_000_000);
const FROM = Number(process.env['FROM'] ?? 0);
const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const LANES = 16;
/** Before this the servers still grow: code is compiled, and buffers reach their size. */
const WARM_UP = 0.2;
const MAX_GROWTH_MEBIBYTES = 25;

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-fuzz-'));
const processes: MeasuredProcess[] = [];
const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
console.log(`Seed ${SEED}, exchanges ${FROM} to ${FROM + COUNT - 1}`);
try {
  const targets = await startTargets(workplace);
  const servers = new Map(targets.map(({ server, process: running }) => [server, running]));
  const warm = Math.floor(COUNT * WARM_UP);
  const begun = performance.now();
  const onProgress = (done: number): void => {
    if (done % 50_000 === 0) process.stderr.write(`  ${done}, ${memory(servers.values()).map(format).join(' ')} MiB\n`);
  };
  const options = { targets, seed: SEED, lanes: LANES, onProgress };
  const first = await fuzz({ ...options, from: FROM, count: warm });
  const before = memory(servers.values());
  const second = await fuzz({ ...options, from: FROM + warm, count: COUNT - warm });
  const growth = memory(servers.values()).map((after, index) => after - (before[index] ?? 0));
  const statuses = [first, second].flatMap((result) => Object.entries(result.statuses));
  const sums = Object.groupBy(statuses, ([status]) => status);
  for (const [status, counts = []] of Object.entries(sums)) {
    console.log(`  ${status}  ${counts.reduce((sum, [, count]) => sum + count, 0)}`);
  }
  console.log(
    `${((performance.now() - begun) / 1000).toFixed(0)} s. Resident memory grew after the first fifth by, MiB:`,
  );
  for (const [index, [name]] of [...servers].entries())
    console.log(`  ${name.padEnd(10)} ${format(growth[index] ?? 0)}`);
  for (const target of targets) await untilIdle(target);
  if (COUNT >= 500_000 && Math.max(...growth) > MAX_GROWTH_MEBIBYTES) {
    console.error(`A server grew by more than ${MAX_GROWTH_MEBIBYTES} MiB.`);
    process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await Promise.all(processes.map((one) => one.end()));
  rmSync(directory, { recursive: true, force: true });
}

function memory(servers: Iterable<MeasuredProcess>): number[] {
  return Array.from(servers, (server) => server.residentMemory());
}

/** Throws FuzzFailure if the server still believes that it has requests when nobody sends any more. */
async function untilIdle({ name, inFlight }: Target): Promise<void> {
  const end = performance.now() + 10_000;
  while ((await inFlight()) > 0) {
    if (performance.now() > end)
      throw new FuzzFailure(`${name} keeps ${await inFlight()} requests of clients that left.`);
    await pause(100);
  }
}

function format(mebibytes: number): string {
  return mebibytes.toFixed(1);
}
