/** How long a model takes to load and to run for the first time on the GPU, and what a server with it answers, beside the CPU's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { loadModel } from '../../runtime/model/load-model.ts';
import { measureClosed, over, type Measurement } from '../bench/runtime/measurement.ts';
import { makeModels, type BenchModel } from '../bench/runtime/models.ts';
import { makeRequest } from '../bench/runtime/requests.ts';
import { formatSummary, summarise } from '../bench/median.ts';
import { formatTable } from '../bench/table.ts';
import type { MeasuredProcess } from '../server/measured-process.ts';
import { defaultSpecification, startRuntime } from '../server/start-runtime.ts';

const PROVIDERS = [process.env['PROVIDER'] ?? 'CUDA', 'CPU'];
const LOADS = 3;
const ROUNDS = 3;
const MILLISECONDS = 1000;
const CONNECTIONS = [1, 64];

const directory = mkdtempSync(join(tmpdir(), 'pilotlight-gpu-'));
const processes: MeasuredProcess[] = [];
const workplace = { directory, own: (started: MeasuredProcess) => processes.push(started) };
try {
  const rows: string[][] = [];
  for (const model of Object.values(makeModels(directory))) {
    for (const provider of PROVIDERS)
      rows.push([
        `${model.title}: ${provider}`,
        ...(await loads(model, provider)),
        ...(await answers(model, provider)),
      ]);
  }
  const head = [
    'model: provider',
    'session, ms',
    'first runs, ms',
    'p50, ms, 1 connection',
    'requests/s, 64 connections',
  ];
  console.log(`\nLoad, first runs, latency and throughput; median (min to max)\n\n${formatTable(head, rows)}`);
} finally {
  await Promise.all(processes.map((one) => one.end()));
  rmSync(directory, { recursive: true, force: true });
}

/** Milliseconds until the session is there, and that its first runs take: what warm-up must pay so that no request does. */
async function loads(model: BenchModel, provider: string): Promise<string[]> {
  const sessions: number[] = [];
  const firstRuns: number[] = [];
  for (let load = 0; load < LOADS; load++) {
    const specification = { ...defaultSpecification(model), executionProviders: [provider] };
    const { signal } = new AbortController();
    const logger = createLogger('bench', 'error');
    const loaded = await loadModel(specification, { directory, clock: systemClock, logger, signal });
    sessions.push(loaded.phases['session'] ?? Number.NaN);
    firstRuns.push(loaded.phases['warmUp'] ?? Number.NaN);
    await loaded.close();
  }
  return [formatSummary(summarise(sessions), 0), formatSummary(summarise(firstRuns), 0)];
}

async function answers(model: BenchModel, provider: string): Promise<string[]> {
  const server = await startRuntime(workplace, model, { executionProviders: [provider] });
  const request = makeRequest(model, 'binary');
  const rounds: Measurement[][] = CONNECTIONS.map(() => []);
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [index, connections] of CONNECTIONS.entries()) {
      const measured = await measureClosed(server, request, connections, MILLISECONDS);
      if (round > 0) rounds[index]?.push(measured);
    }
  }
  await server.process.end();
  return [formatSummary(over(rounds[0] ?? [], 'p50'), 2), formatSummary(over(rounds[1] ?? [], 'rate'), 0)];
}
