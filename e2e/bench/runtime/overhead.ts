/**
 * What the server costs beyond the model: CPU and time of a binary request, beside the same row in the bare library and beside a bare HTTP server that
 * takes the same bytes. A batch of rows costs less than the rows alone, so that at many connections a request may be below the library.
 */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { once } from 'node:events';
import { formatSummary, summarise } from '../median.ts';
import { inRounds, type Bench } from './bench.ts';
import { measureClosed, over, type Measurement } from './measurement.ts';
import type { BenchModel } from './models.ts';
import { MeasuredProcess } from '../../server/measured-process.ts';
import { makeRequest } from './requests.ts';
import { startRuntime, type Server } from '../../server/start-runtime.ts';

const ROUNDS = 5;
const MILLISECONDS = 800;
const CONNECTIONS = [1, 4, 16, 64];
/** Above this a model's own run counts for more than its server. */
const LARGE_MICROSECONDS = 1000;
const TINY_MICROSECONDS = 100;
const GOALS = { ratio: 1.25, beyondMicroseconds: 80, addedMicroseconds: 250 };

/** Takes a request's bytes and answers with as few as the models here do. */
const BARE_SERVER = `
  const answer = Buffer.alloc(300);
  require('node:http').createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => { Buffer.concat(chunks); response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': 300 }).end(answer); });
  }).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

export async function measureOverhead(bench: Bench): Promise<void> {
  for (const model of Object.values(bench.models)) {
    await measureModel(bench, model);
    await bench.endAll();
  }
}

async function measureModel(bench: Bench, model: BenchModel): Promise<void> {
  const runtime = await startRuntime(bench, model);
  const bareServer = await startBareServer(bench);
  const library = startLibrary(bench, model);
  const request = makeRequest(model, 'binary');
  const runs: LibraryRuns[] = [];
  const bare: Measurement[] = [];
  const loads = CONNECTIONS.map((connections) => ({ connections, rounds: [] as Measurement[] }));
  await inRounds(ROUNDS, async (counted) => {
    const ran = await library(MILLISECONDS);
    const floor = await measureClosed(bareServer, request, 1, MILLISECONDS);
    if (counted) runs.push(ran);
    if (counted) bare.push(floor);
    for (const { connections, rounds } of loads) {
      const measured = await measureClosed(runtime, request, connections, MILLISECONDS);
      bench.clientUsed(measured.clientShare);
      if (counted) rounds.push(measured);
    }
    bench.progress(`${model.name}: ${counted ? `round ${runs.length} of ${ROUNDS}` : 'warm-up'}`);
  });
  report(bench, model, runs, bare, loads);
}

interface LibraryRuns {
  readonly cpuMicroseconds: number;
  /** Milliseconds. */
  readonly p50: number;
}

function report(
  bench: Bench,
  model: BenchModel,
  runs: readonly LibraryRuns[],
  bare: readonly Measurement[],
  loads: readonly { readonly connections: number; readonly rounds: readonly Measurement[] }[],
): void {
  const cpu = summarise(runs.map((run) => run.cpuMicroseconds));
  const p50 = summarise(runs.map((run) => run.p50));
  const rows = [
    ['the run alone, in the library', formatSummary(cpu), '', '', formatSummary(p50, 3), '', ''],
    [
      'a bare HTTP server, 1 connection',
      formatSummary(over(bare, 'cpuMicroseconds')),
      '',
      '',
      formatSummary(over(bare, 'p50'), 3),
      '',
      '',
    ],
  ];
  for (const { connections, rounds } of loads) {
    const ours = over(rounds, 'cpuMicroseconds');
    const ratio = ours.median / cpu.median;
    const beyond = ours.median - cpu.median;
    const latency = over(rounds, 'p50');
    const added = 1000 * (latency.median - p50.median);
    rows.push([
      `the runtime, ${connections} ${connections === 1 ? 'connection' : 'connections'}`,
      formatSummary(ours),
      ratio.toFixed(2),
      beyond.toFixed(0),
      formatSummary(latency, 3),
      connections === 1 ? added.toFixed(0) : '',
      over(rounds, 'rate').median.toFixed(0),
    ]);
    const what = `${model.name}, ${connections} connections: CPU`;
    if (cpu.median >= LARGE_MICROSECONDS)
      bench.goal({ what: `${what} / the library's`, reached: ratio, atMost: GOALS.ratio });
    else if (cpu.median <= TINY_MICROSECONDS) {
      bench.goal({ what: `${what} beyond the library's, µs`, reached: beyond, atMost: GOALS.beyondMicroseconds });
    }
    if (connections === 1) {
      bench.goal({
        what: `${model.name}, 1 connection: added at p50, µs`,
        reached: added,
        atMost: GOALS.addedMicroseconds,
      });
    }
  }
  const head = ['', 'CPU a request, µs', '/ library', 'beyond it, µs', 'p50, ms', 'added, µs', 'requests/s'];
  bench.table(`Overhead: ${model.title}, binary; median (min to max)`, head, rows);
}

async function startBareServer(bench: Bench): Promise<Server> {
  const started = new MeasuredProcess(process.execPath, ['-e', BARE_SERVER], { core: bench.core });
  bench.own(started);
  const [port] = (await once(started.child.stdout, 'data')) as [Buffer];
  return { process: started, port: Number(port.toString()) };
}

/** Gives what runs rows in the library for so many milliseconds. */
function startLibrary(bench: Bench, { path, input }: BenchModel): (milliseconds: number) => Promise<LibraryRuns> {
  const program = join(import.meta.dirname, 'bare-library.ts');
  const started = new MeasuredProcess(process.execPath, [program, path, input.name, JSON.stringify(input.shape)], {
    core: bench.core,
  });
  bench.own(started);
  const lines = createInterface(started.child.stdout);
  return async (milliseconds) => {
    started.child.stdin.write(`${milliseconds}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as LibraryRuns;
  };
}
