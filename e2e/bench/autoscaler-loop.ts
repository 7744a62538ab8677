/**
 * What an operator costs while it decides, in percent of a core: a record of a gateway each second, decisions each two seconds, and all else that the process
 * does. With a thousand functions of which 200 are called, beside the same without the 800 that nobody calls, ten functions, and the floor: none called. Needs
 * Linux, for /proc.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { startBenchOperator } from './bench-operator.ts';
import { formatSummary, summarise, type Summary } from './median.ts';
import { formatTable } from './table.ts';

/** In this order; functions are only added. */
const STEPS = [
  { functions: 10, called: 10 },
  { functions: 200, called: 200 },
  { functions: 1000, called: 200 },
  { functions: 1000, called: 0 },
];
const READINGS = 5;
const READING_SECONDS = 4;
/** After what was written last, for what follows from it. */
const SETTLE_SECONDS = 10;
/** Of the times in /proc, on every Linux. */
const TICKS_PER_SECOND = 100;

const operator = await startBenchOperator(process.argv.slice(2));
const rows: string[][] = [];
try {
  for (const { functions, called } of STEPS) {
    await operator.growTo(functions);
    await operator.call(called);
    await pause(SETTLE_SECONDS * 1000);
    rows.push([String(functions), String(called), formatSummary(await percentOfCore(), 2)]);
  }
} finally {
  await operator.close();
}
console.log(
  `${formatTable(['functions', 'of which are called', 'CPU of the operator, % of a core'], rows)}\n` +
    'The goal is at most 5% with a thousand functions of which 200 are called.',
);

async function percentOfCore(): Promise<Summary> {
  const values: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    const [from, begun] = [cpuSeconds(), performance.now()];
    await pause(READING_SECONDS * 1000);
    values.push(((cpuSeconds() - from) * 1e5) / (performance.now() - begun));
  }
  return summarise(values);
}

/** Of all its threads, in the system too. */
function cpuSeconds(): number {
  const stat = readFileSync(`/proc/${operator.pid}/stat`, 'utf8');
  // After the name, which may have spaces: fields 14 and 15 of proc(5) are the time in user mode and in the kernel.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  if (!(seconds > 0)) throw new Error('The time of the operator could not be read.');
  return seconds;
}
