/** Prints what became of loads. Runs are named "direct" or "through". */
import { line, row } from '../in-cluster/lines.ts';
import { summarise } from '../median.ts';
import { withGoal } from './goal.ts';
import type { LoadResult } from './inside/load.ts';

/** Milliseconds beyond what the pods answer in when they are asked directly, at p95. */
const ADDED = { atMost: 10 };
const NONE = { atMost: 0 };
const SENT_PERCENT = { atLeast: 99.9 };
/** Milliseconds of the slowest answer of a ramp from zero. */
const SLOWEST = { atMost: 10_000 };

/** What the gateways add to what the same pods, or as many, answer in. */
export function beside(results: readonly LoadResult[]): string[] {
  const direct = results.filter(({ name }) => name === 'direct');
  const through = results.filter(({ name }) => name === 'through');
  const p95 = (of: readonly LoadResult[]): number[] => of.map((one) => one.p95);
  const added = summarise(p95(through)).median - summarise(p95(direct)).median;
  return [
    row('p95 of the pods directly, ms', p95(direct), 1),
    row('p95 through the gateways, ms', p95(through), 1),
    line('added at p95, ms', withGoal(added, 1, ADDED)),
    ...complete(results),
  ];
}

/** From zero, so with the start of the first pod. */
export function slowest(results: readonly LoadResult[]): string {
  return line('slowest answer, ms', withGoal(Math.max(...results.map(({ max }) => max)), 0, SLOWEST));
}

export function waited(results: readonly LoadResult[]): string {
  return line('requests that waited for a pod', String(results.reduce((sum, { coldStarts }) => sum + coldStarts, 0)));
}

/** Whether everything was sent, and answered. */
export function complete(results: readonly LoadResult[]): string[] {
  const sum = (of: (one: LoadResult) => number): number => results.reduce((all, one) => all + of(one), 0);
  const failed = results.flatMap(({ errors }) => Object.entries(errors));
  const errors = failed.reduce((all, [, count]) => all + count, 0);
  const planned = sum((one) => one.planned);
  const sent = sum((one) => one.sent);
  return [
    line('requests', `${sent} sent of ${planned} planned`),
    line('sent of those planned, %', withGoal((100 * sent) / planned, 2, SENT_PERCENT)),
    line('errors', withGoal(errors, 0, NONE)),
    ...failed.slice(0, 10).map(([what, count]) => `    ${count} x ${what}`),
  ];
}
