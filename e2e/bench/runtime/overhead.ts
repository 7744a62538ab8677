/**
 * What the server costs beyond the model: CPU and time of a binary request, beside the same row in the bare library, and beside a bare HTTP server that
 * takes and gives the same bytes, without the model and with it in a thread. A batch of rows costs less than the rows alone, so that at many connections a
 * request may be below the library.
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
import { startBareServer } from './start-bare-server.ts';
import { startRuntime } from '../../server/start-runtime.ts';

const ROUNDS = 5;
const MILLISECONDS = 600;
const CONNECTIONS = [1, 4, 16, 64];
/** Above this a model's own run counts for more than its server. */
const LARGE_MICROSECONDS = 1000;
const TINY_MICROSECONDS = 100;
const GOALS = { ratio: 1.25, beyondMicroseconds: 80, addedMicroseconds: 250 };

export async function measureOverhead(bench: Bench): Promise<void> {
  for (const model of Object.values(bench.models)) {
    await measureModel(bench, model);
    await bench.endAll();
  }
}

/** One number of connections: what was measured of the runtime, and by turns of the bare server, without the model and with it. */
interface Load {
  readonly connections: number;
  readonly ours: Measurement[];
  readonly bare: Measurement[];
  readonly threaded: Measurement[];
}

async function measureModel(bench: Bench, model: BenchModel): Promise<void> {
  const request = makeRequest(model, 'binary');
  const runtime = await startRuntime(bench, model);
  const bareServer = await startBareServer(bench, runtime, request);
  const threadedServer = await startBareServer(bench, runtime, request, { path: model.path, input: model.input });
  const library = startLibrary(bench, model);
  const runs: LibraryRuns[] = [];
  const loads = CONNECTIONS.map((connections): Load => ({ connections, ours: [], bare: [], threaded: [] }));
  await inRounds(ROUNDS, async (counted) => {
    const ran = await library(MILLISECONDS);
    if (counted) runs.push(ran);
    for (const { connections, ours, bare, threaded } of loads) {
      const floor = await measureClosed(bareServer, request, connections, MILLISECONDS);
      const withModel = await measureClosed(threadedServer, request, connections, MILLISECONDS);
      const measured = await measureClosed(runtime, request, connections, MILLISECONDS);
      bench.clientUsed(measured.clientShare);
      if (!counted) continue;
      bare.push(floor);
      threaded.push(withModel);
      ours.push(measured);
    }
    bench.progress(`${model.name}: ${counted ? `round ${runs.length} of ${ROUNDS}` : 'warm-up'}`);
  });
  report(bench, model, runs, loads);
}

interface LibraryRuns {
  readonly cpuMicroseconds: number;
  /** Milliseconds. */
  readonly p50: number;
}

function report(bench: Bench, model: BenchModel, runs: readonly LibraryRuns[], loads: readonly Load[]): void {
  const cpu = summarise(runs.map((run) => run.cpuMicroseconds));
  const p50 = summarise(runs.map((run) => run.p50));
  const rows = [['the run alone, in the library', formatSummary(cpu), '', '', formatSummary(p50, 3), '', '']];
  for (const { connections, ours, bare, threaded } of loads) {
    const many = `${connections} ${connections === 1 ? 'connection' : 'connections'}`;
    const row = (what: string, measured: readonly Measurement[]): string[] => {
      const { median } = over(measured, 'cpuMicroseconds');
      return [
        `${what}, ${many}`,
        formatSummary(over(measured, 'cpuMicroseconds')),
        (median / cpu.median).toFixed(2),
        (median - cpu.median).toFixed(0),
        formatSummary(over(measured, 'p50'), 3),
        connections === 1 ? added(measured).toFixed(0) : '',
        over(measured, 'rate').median.toFixed(0),
      ];
    };
    const added = (measured: readonly Measurement[]): number => 1000 * (over(measured, 'p50').median - p50.median);
    rows.push(
      row('a bare HTTP server', bare),
      row('the same, the model in a thread', threaded),
      row('the runtime', ours),
    );

    const [used, floor] = [over(ours, 'cpuMicroseconds').median, over(threaded, 'cpuMicroseconds').median];
    const what = `${model.name}, ${many}: CPU`;
    if (cpu.median >= LARGE_MICROSECONDS) {
      const [reached, least] = [used / cpu.median, floor / cpu.median];
      bench.goal({ what: `${what} / the library's`, reached, atMost: GOALS.ratio, plain: least });
    } else if (cpu.median <= TINY_MICROSECONDS) {
      const [reached, least] = [used - cpu.median, floor - cpu.median];
      bench.goal({ what: `${what} beyond the library's, µs`, reached, atMost: GOALS.beyondMicroseconds, plain: least });
    }
    if (connections === 1) {
      const latency = { reached: added(ours), atMost: GOALS.addedMicroseconds, plain: added(threaded) };
      bench.goal({ what: `${model.name}, 1 connection: added at p50, µs`, ...latency });
    }
  }
  const head = ['', 'CPU a request, µs', '/ library', 'beyond it, µs', 'p50, ms', 'added, µs', 'requests/s'];
  bench.table(`Overhead: ${model.title}, binary; median (min to max)`, head, rows);
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
