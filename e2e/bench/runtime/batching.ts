/** What batching brings where it pays: the large MLP at 64 connections, beside the same runtime that may not batch. */
import { formatSummary } from '../median.ts';
import { inRounds, type Bench } from './bench.ts';
import { measureClosed, over, type Measurement } from './measurement.ts';
import { makeRequest } from './requests.ts';
import { startRuntime, type Server } from '../../server/start-runtime.ts';

const ROUNDS = 5;
const MILLISECONDS = 1500;
const CONNECTIONS = 64;
const GOAL = 4;

export async function measureBatching(bench: Bench): Promise<void> {
  const model = bench.models.mlp;
  const request = makeRequest(model, 'binary');
  const kinds: { maxBatchSize: number; server: Server; rounds: Measurement[] }[] = [];
  for (const maxBatchSize of [1, 32, 64]) {
    const server = await startRuntime(bench, model, {
      batching: { mode: maxBatchSize > 1 ? 'On' : 'Off', maxBatchSize, maxDelayMilliseconds: 0 },
    });
    kinds.push({ maxBatchSize, server, rounds: [] });
  }
  await inRounds(ROUNDS, async (counted) => {
    for (const { server, rounds } of kinds) {
      const measured = await measureClosed(server, request, CONNECTIONS, MILLISECONDS);
      if (counted) rounds.push(measured);
    }
    bench.progress(`batching: ${counted ? 'a round' : 'warm-up'}`);
  });
  await bench.endAll();
  const alone = kinds[0]?.rounds ?? [];
  const rows = kinds.map(({ maxBatchSize, rounds }) => [
    maxBatchSize === 1 ? 'off' : `maxBatchSize ${maxBatchSize}`,
    formatSummary(over(rounds, 'rate'), 0),
    (over(rounds, 'rate').median / over(alone, 'rate').median).toFixed(2),
    formatSummary(over(rounds, 'p50')),
    formatSummary(over(rounds, 'p99')),
    formatSummary(over(rounds, 'cpuMicroseconds'), 0),
  ]);
  const head = ['batching', 'requests/s', '/ off', 'p50, ms', 'p99, ms', 'CPU a request, µs'];
  bench.table(`Batching: ${model.title}, binary, ${CONNECTIONS} connections; median (min to max)`, head, rows);
  const batched = kinds.find(({ maxBatchSize }) => maxBatchSize === 32)?.rounds ?? [];
  const gain = over(batched, 'rate').median / over(alone, 'rate').median;
  bench.goal({ what: 'batches of 32: requests/s / without batches', reached: gain, atLeast: GOAL });
  const p99 = over(batched, 'p99').median / over(alone, 'p99').median;
  bench.goal({ what: 'batches of 32: p99 / without batches', reached: p99, atMost: 1 });
}
