/** The runtime beside the usual Python servers: the same model, request and core, by turns. */
import { formatSummary } from '../median.ts';
import { inRounds, type Bench } from './bench.ts';
import { measureClosed, over, type Measurement } from './measurement.ts';
import type { BenchModel } from './models.ts';
import { makeRequest, type Encoding } from './requests.ts';
import { startBareServer } from './start-bare-server.ts';
import { startRuntime, type Server } from '../../server/start-runtime.ts';
import { installPeer, PEERS, speaks, startPeer, type PeerInstallation } from './python-servers.ts';

const ROUNDS = 3;
const MILLISECONDS = 700;
const OURS = 'Pilotlight';
/** It infers nothing; only beside the smallest model, where that is most of the cost. */
const BARE = 'a bare server';
const GOALS = { tiny: 3, large: 10, anywhere: 1 };

interface Cell {
  readonly model: BenchModel;
  readonly encoding: Encoding;
  readonly connections: number;
  readonly rounds: Readonly<Record<string, Measurement[]>>;
}

export async function measurePeers(bench: Bench): Promise<void> {
  const installed: PeerInstallation[] = [];
  for (const peer of PEERS) {
    const installation = await installPeer(peer);
    if ('missing' in installation) bench.say(`${peer} is missing here: ${installation.missing}`);
    else installed.push(installation);
  }
  if (installed.length === 0) return;
  const cells: Cell[] = [];
  for (const model of Object.values(bench.models)) {
    const ours = await startRuntime(bench, model);
    const servers: Record<string, Server> = { [OURS]: ours };
    for (const installation of installed) servers[installation.peer] = await startPeer(bench, installation, model);
    for (const encoding of ['binary', 'JSON'] as const) {
      const bare = model.name === 'digits' && {
        [BARE]: await startBareServer(bench, ours, makeRequest(model, encoding)),
      };
      cells.push(...(await measureModel(bench, { ...servers, ...bare }, model, encoding)));
    }
    await bench.endAll();
  }
  report(bench, cells);
}

async function measureModel(
  bench: Bench,
  servers: Readonly<Record<string, Server>>,
  model: BenchModel,
  encoding: Encoding,
): Promise<Cell[]> {
  const request = makeRequest(model, encoding);
  const able = Object.keys(servers).filter((name) => PEERS.every((peer) => peer !== name || speaks(peer, encoding)));
  // An image in JSON takes some of them 50 ms, so that 64 connections would wait for seconds.
  const connections = request.body.length > 1_000_000 ? [1, 16] : [1, 4, 16, 64];
  const cells = connections.map((count): Cell => {
    return { model, encoding, connections: count, rounds: Object.fromEntries(able.map((name) => [name, []])) };
  });
  await inRounds(ROUNDS, async (counted) => {
    for (const { connections: count, rounds } of cells) {
      for (const name of able) {
        const server = servers[name];
        if (server === undefined) continue;
        const measured = await measureClosed(server, request, count, counted ? MILLISECONDS : MILLISECONDS / 2);
        bench.clientUsed(measured.clientShare);
        if (counted) rounds[name]?.push(measured);
      }
    }
    bench.progress(`${model.name}, ${encoding}: ${counted ? 'a round' : 'warm-up'} of ${able.join(', ')}`);
  });
  reportModel(bench, model, encoding, cells);
  return cells;
}

function perCoreSecond(rounds: readonly Measurement[] = []): number {
  return 1_000_000 / over(rounds, 'cpuMicroseconds').median;
}

function reportModel(bench: Bench, model: BenchModel, encoding: Encoding, cells: readonly Cell[]): void {
  const rows = cells.flatMap(({ connections, rounds }) =>
    Object.entries(rounds).map(([name, measured]) => [
      `${connections}, ${name}`,
      perCoreSecond(measured).toFixed(0),
      (perCoreSecond(rounds[OURS]) / perCoreSecond(measured)).toFixed(2),
      formatSummary(over(measured, 'cpuMicroseconds'), 0),
      over(measured, 'rate').median.toFixed(0),
      over(measured, 'p50').median.toFixed(2),
      over(measured, 'p99').median.toFixed(2),
    ]),
  );
  const head = [
    'connections, server',
    'requests/core-s',
    'ours / its',
    'CPU a request, µs',
    'requests/s',
    'p50, ms',
    'p99, ms',
  ];
  bench.table(`Peers: ${model.title}, ${encoding}; median (min to max)`, head, rows);
}

/** How much more the first does than the second, in its worst cell. */
interface Worst {
  readonly ratio: number;
  readonly where: string;
}

function report(bench: Bench, cells: readonly Cell[]): void {
  for (const { model, encoding, connections, rounds } of cells) {
    const { FastAPI: peer, [OURS]: ours, [BARE]: bare } = rounds;
    if (peer === undefined || bare === undefined) continue;
    bench.goal({
      what: `${model.name}, ${encoding}, ${connections} connections: requests/core-s / FastAPI's`,
      reached: perCoreSecond(ours) / perCoreSecond(peer),
      atLeast: GOALS.tiny,
      plain: perCoreSecond(bare) / perCoreSecond(peer),
    });
  }
  const wide = cells.filter(({ model }) => model.name === 'wide');
  for (const json of wide.filter(({ encoding }) => encoding === 'JSON')) {
    const binary = wide.find(({ encoding, connections }) => encoding === 'binary' && connections === json.connections);
    if (binary === undefined || json.rounds['FastAPI'] === undefined) continue;
    const what = `600 KB binary, ${json.connections} connections: requests/core-s / FastAPI's in JSON`;
    const reached = perCoreSecond(binary.rounds[OURS]) / perCoreSecond(json.rounds['FastAPI']);
    bench.goal({ what, reached, atLeast: GOALS.large });
  }
  for (const [what, figure] of [
    ['requests/core-s', (measured: readonly Measurement[]) => perCoreSecond(measured)],
    ['requests/s', (measured: readonly Measurement[]) => over(measured, 'rate').median],
  ] as const) {
    const slowest = worst(cells, ({ rounds }) =>
      Object.entries(rounds).flatMap(([name, measured]) =>
        name === OURS || name === BARE ? [] : [figure(rounds[OURS] ?? []) / figure(measured)],
      ),
    );
    if (slowest === undefined) continue;
    bench.goal({
      what: `${what} / any peer's (worst: ${slowest.where})`,
      reached: slowest.ratio,
      atLeast: GOALS.anywhere,
    });
  }
}

function worst(cells: readonly Cell[], ratios: (cell: Cell) => readonly number[]): Worst | undefined {
  const all = cells.map((cell): Worst => {
    const { model, encoding, connections } = cell;
    return { ratio: Math.min(...ratios(cell)), where: `${model.name}, ${encoding}, ${connections} connections` };
  });
  return all.filter(({ ratio }) => Number.isFinite(ratio)).sort((a, b) => a.ratio - b.ratio)[0];
}
