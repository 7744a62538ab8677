/** Latency when requests come at random moments and do not wait for one another, as those of many users do: at shares of what each server can do. */
import { openLoop } from '../http-load.ts';
import { formatSummary } from '../median.ts';
import { inRounds, type Bench } from './bench.ts';
import { measureClosed, over, underLoad, type Measurement } from './measurement.ts';
import type { BenchModel } from './models.ts';
import { makeRequest } from './requests.ts';
import { startRuntime, type Server } from '../../server/start-runtime.ts';
import { installPeer, startPeer } from './python-servers.ts';

const ROUNDS = 3;
const MILLISECONDS = 2000;
const CONNECTIONS = 128;
const SHARES = [0.5, 0.8];

interface Case {
  readonly title: string;
  readonly server: Server;
  readonly rate: number;
  readonly rounds: Measurement[];
}

export async function measureOpenLoop(bench: Bench): Promise<void> {
  const installation = await installPeer('FastAPI');
  if ('missing' in installation) bench.say(`FastAPI is missing here: ${installation.missing}`);
  for (const model of [bench.models.digits, bench.models.mlp]) {
    const ours = await startRuntime(bench, model);
    const peer = 'missing' in installation ? undefined : await startPeer(bench, installation, model);
    await measureModel(bench, model, ours, peer);
    await bench.endAll();
  }
}

async function measureModel(bench: Bench, model: BenchModel, ours: Server, peer: Server | undefined): Promise<void> {
  const request = makeRequest(model, 'binary');
  const capacity = async (server: Server): Promise<number> => {
    await measureClosed(server, request, 64, 1000);
    return (await measureClosed(server, request, 64, 1000)).rate;
  };
  const all = { Pilotlight: ours, ...(peer !== undefined && { FastAPI: peer }) };
  const rates = new Map<string, number>();
  for (const [name, server] of Object.entries(all)) rates.set(name, await capacity(server));
  const cases: Case[] = [];
  for (const [capable, rate] of rates) {
    for (const share of SHARES) {
      for (const [name, server] of Object.entries(all)) {
        // More than a server can do would only show how long its queue grew.
        if ((rates.get(name) ?? 0) < rate * share) continue;
        const title = `${name} at ${(rate * share).toFixed(0)}/s, ${100 * share} % of ${capable === name ? 'its own' : `${capable}'s`}`;
        cases.push({ title, server, rate: rate * share, rounds: [] });
      }
    }
  }
  await inRounds(ROUNDS, async (counted) => {
    for (const { server, rate, rounds } of cases) {
      const { port } = server;
      const load = { ...request, port, connections: CONNECTIONS, milliseconds: MILLISECONDS, rate };
      const measured = await underLoad(server.process, () => openLoop(load));
      if (counted) rounds.push(measured);
    }
    bench.progress(`open loop, ${model.name}: ${counted ? 'a round' : 'warm-up'}`);
  });
  const rows = cases.map(({ title, rounds }) => [
    title,
    formatSummary(over(rounds, 'p50'), 2),
    formatSummary(over(rounds, 'p99'), 2),
    formatSummary(over(rounds, 'cpuMicroseconds'), 0),
  ]);
  const head = ['server and rate', 'p50, ms', 'p99, ms', 'CPU a request, µs'];
  bench.table(`Open loop: ${model.title}, binary; median (min to max)`, head, rows);
}
