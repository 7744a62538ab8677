/**
 * When to measure: at a moment that has nothing to do with the kubelet's, which looks at its containers once a second (a loop in step with it gives narrow
 * and wrong figures), and while the node's processors have nothing else to do, as far as that can be had.
 */
import { readFileSync } from 'node:fs';

const SAMPLE_MILLISECONDS = 500;
/** A busy machine is measured too, or a figure would never come. */
const PATIENCE_MILLISECONDS = 10_000;
const QUIET = 0.25;
/** Of /proc/stat, on every Linux that Kubernetes runs on. */
const TICK_MILLISECONDS = 10;

/** Gives whether it was quiet. */
export async function quietMoment(): Promise<boolean> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  let quiet = false;
  while (!quiet && performance.now() < end) quiet = (await busyShare()) < QUIET;
  await pause(Math.random() * 1000);
  return quiet;
}

/** Gives what `work` gave, and the milliseconds of CPU that the whole node took meanwhile: whoever else was busy on it is in them. */
export async function withNodeCpu<Result>(work: () => Promise<Result>): Promise<{ result: Result; cpu: number }> {
  const before = processorTimes();
  const result = await work();
  const after = processorTimes();
  return { result, cpu: (after.all - after.idle - (before.all - before.idle)) * TICK_MILLISECONDS };
}

/** Of all processors, from 0 to 1. */
async function busyShare(): Promise<number> {
  const before = processorTimes();
  await pause(SAMPLE_MILLISECONDS);
  const after = processorTimes();
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** Of the node, in ticks: a container's /proc/stat is that of its machine. */
function processorTimes(): { idle: number; all: number } {
  const [, ...ticks] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/).map(Number);
  const [idle = 0, waiting = 0] = ticks.slice(3);
  return { idle: idle + waiting, all: ticks.reduce((sum, value) => sum + value, 0) };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
