/** What a person wants to know of a simulation, as lines of text. Pure. */
import { ownerOf } from '../../operator/capacity/budget.ts';
import type { BudgetUse } from '../../operator/simulation/simulate.ts';
import type { FunctionResult } from '../../operator/simulation/simulated-function.ts';
import type { Outcome, RequestRecord } from '../../operator/simulation/simulated-request.ts';

/** Changes of the wanted number that are shown; the picture has them all. */
const MOST_CHANGES = 20;

/** @param gpus of one pod */
export function summarise(result: FunctionResult, gpus: number): string[] {
  const { requests, moments, podsStarted, podSeconds } = result;
  const count = (outcome: Outcome): string => String(requests.filter((request) => request.outcome === outcome).length);
  const waits = requests.map(waitOf).sort((a, b) => a - b);
  const most = moments.reduce((peak, { ready, starting }) => Math.max(peak, ready + starting), 0);
  const short = moments.filter(({ missing }) => missing > 0).length;
  const rows: (readonly [string, string])[] = [
    ['requests', String(requests.length)],
    ['answered', count('Answered')],
    ['refused, the queue was full', count('QueueFull')],
    ['given up, no pod in time', count('NoPodInTime')],
    ['cut off, the pod took too long', count('TimedOut')],
    ['wait, half of them at most', seconds(quantile(waits, 0.5))],
    ['wait, 95 % of them at most', seconds(quantile(waits, 0.95))],
    ['wait, the longest', seconds(quantile(waits, 1))],
    ['pods at once, the most', String(most)],
    ['pods started', String(podsStarted)],
    ...(short === 0 ? [] : [['short of pods by a budget', `${short} s`] as const]),
    ['pod-seconds', podSeconds.toFixed(0)],
    ...(gpus === 0 ? [] : [['GPU-seconds', (podSeconds * gpus).toFixed(0)] as const]),
  ];
  return [...rows.map(([what, value]) => `${what.padEnd(32)}${value.padStart(10)}`), '', ...changes(result)];
}

/** `nvidia.com/gpu of the cluster: at most 4 of 4 held, 2.31 on average` */
export function summariseBudget({ budget, held }: BudgetUse): string {
  const most = held.reduce((peak, units) => Math.max(peak, units), 0);
  const average = held.reduce((sum, units) => sum + units, 0) / Math.max(1, held.length);
  return `${budget.resource} of ${ownerOf(budget)}: at most ${most} of ${budget.limit} held, ${average.toFixed(2)} on average`;
}

/** Until a pod began to run it, or until it was given up. */
function waitOf({ at, begunAt, endedAt }: RequestRecord): number {
  return (begunAt ?? endedAt) - at;
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}

function changes({ decisions }: FunctionResult): string[] {
  const changed = decisions.filter(
    ({ decision }, index) => decision.desired !== (decisions[index - 1]?.decision.desired ?? 0),
  );
  const shown = changed.slice(0, MOST_CHANGES).map(({ at, decision: { desired, mode, reasons } }) => {
    const because = [...(mode === 'Panic' ? [mode] : []), ...reasons].join(', ');
    return `${`${at.toFixed(1)} s`.padStart(10)}${String(desired).padStart(6)}  ${because}`.trimEnd();
  });
  const left = changed.length - shown.length;
  return [
    `${'at'.padStart(10)}${'pods'.padStart(6)}  because of`,
    ...shown,
    ...(left > 0 ? [`… and ${left} more`] : []),
  ];
}
