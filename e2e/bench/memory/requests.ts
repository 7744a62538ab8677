/** Resident memory of a runtime over a million good requests and 200 thousand hostile ones. */
import { join } from 'node:path';
import { formatSummary, summarise } from '../median.ts';
import { closedLoop } from '../http-load.ts';
import { formatTable } from '../table.ts';
import { makeRequest } from '../runtime/requests.ts';
import { httpTarget } from '../../fuzz/http-target.ts';
import { fuzz } from '../../fuzz/fuzz.ts';
import { SEEDS } from '../../fuzz/seeds.ts';
import { startRuntime, type Workplace } from '../../server/start-runtime.ts';

const ROUNDS = 10;
const GOOD = 100_000;
/** Somewhat more, because not all that is made hostile comes out wrong. */
const HOSTILE = 28_000;
const CONNECTIONS = 16;
const READING_MILLISECONDS = 250;
const SEED = 5;
const MAX_GROWTH_MEBIBYTES = 10;

/** Gives whether the goal was met. */
export async function measureRequests(workplace: Workplace): Promise<boolean> {
  const path = join(import.meta.dirname, '..', '..', '..', 'examples', 'digits', 'model.onnx');
  const model = { name: 'digits', title: 'digits', path, input: { name: 'pixels', shape: [1, 64] } };
  const seed = SEEDS.find(({ name }) => name === model.name);
  if (seed === undefined) throw new Error(`There is no seed for ${model.name}.`);
  const server = await startRuntime(workplace, model);
  const rounds: { readonly good: number; readonly bad: number; readonly readings: number[] }[] = [];
  let [good, bad] = [0, 0];
  // The first round is the warm-up.
  for (let round = 0; round <= ROUNDS; round++) {
    const readings: number[] = [];
    const timer = setInterval(() => readings.push(server.process.residentMemory()), READING_MILLISECONDS);
    for (const encoding of ['binary', 'JSON'] as const) {
      const load = { ...makeRequest(model, encoding), port: server.port, connections: CONNECTIONS };
      const { requests } = await closedLoop({ ...load, milliseconds: Infinity, requests: GOOD / 2 });
      good += requests;
    }
    const hostile = {
      targets: [httpTarget(seed, server)],
      seed: SEED,
      from: round * HOSTILE,
      count: HOSTILE,
      lanes: CONNECTIONS,
    };
    const { statuses } = await fuzz(hostile);
    bad += Object.entries(statuses).reduce((sum, [status, count]) => sum + (status === '200' ? 0 : count), 0);
    clearInterval(timer);
    rounds.push({ good, bad, readings });
    process.stderr.write(`  round ${round} of ${ROUNDS}\n`);
  }
  const head = ['', 'good requests', 'bad ones', 'lowest, MiB', 'median', 'highest'];
  const rows = rounds.map((round, index) => {
    const { min, median, max } = summarise(round.readings);
    const title = index === 0 ? 'warm-up' : `round ${index}`;
    return [title, String(round.good), String(round.bad), min.toFixed(1), median.toFixed(1), max.toFixed(1)];
  });
  console.log(`\nResident memory of a runtime, readings each ${READING_MILLISECONDS} ms\n\n${formatTable(head, rows)}`);
  // What is held shows at the lowest reading, after a collection; above it is what the next one will free.
  const lowest = rounds.slice(1).map(({ readings }) => summarise(readings).min);
  const half = Math.floor(lowest.length / 2);
  const growth = Math.min(...lowest.slice(half)) - Math.min(...lowest.slice(0, half));
  const met = growth < MAX_GROWTH_MEBIBYTES;
  console.log(
    `\nLowest of the second half less lowest of the first, MiB: ${growth.toFixed(1)} (goal: less than ${MAX_GROWTH_MEBIBYTES}${met ? '' : ', MISSED'}); all readings ${formatSummary(summarise(rounds.slice(1).flatMap(({ readings }) => readings)))}`,
  );
  return met;
}
