/** What an operator keeps in memory: its resident set with 200 functions at zero, beside that of a process that only imported the Kubernetes client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { startBenchOperator } from './bench-operator.ts';
import { residentMebibytes } from '../server/resident-memory.ts';
import { formatSummary, summarise, type Summary } from './median.ts';

const FUNCTIONS = Number(process.argv[2] ?? 200);
/** Beyond the floor, in MiB. */
const BUDGET = { operator: 30, eachFunction: 0.25 };
/** Readings, a second apart, once all is at rest. */
const READINGS = 10;

const floor = await measureFloor();
const { resident, rest } = await measureOperator();
const budget = floor.median + BUDGET.operator + BUDGET.eachFunction * FUNCTIONS;
process.stdout.write(
  [
    `Memory of an operator, MiB resident: median (min to max)`,
    `  a process with the Kubernetes client  ${formatSummary(floor)}`,
    `  an operator without functions         ${formatSummary(rest)}`,
    `  an operator with ${FUNCTIONS} functions at zero  ${formatSummary(resident)}  (goal: at most ${budget.toFixed(0)})`,
    '',
  ].join('\n'),
);

async function measureFloor(): Promise<Summary> {
  const code = `import('@kubernetes/client-node').then(() => setInterval(() => undefined, 1000))`;
  const child = spawn(process.execPath, ['-e', code], { cwd: import.meta.dirname, stdio: 'inherit' });
  try {
    await pause(3000);
    return await readings(child.pid ?? 0);
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

async function measureOperator(): Promise<{ resident: Summary; rest: Summary }> {
  const operator = await startBenchOperator();
  try {
    await pause(5000);
    const rest = await readings(operator.pid);
    await operator.growTo(FUNCTIONS);
    return { rest, resident: await readings(operator.pid) };
  } finally {
    await operator.close();
  }
}

async function readings(pid: number): Promise<Summary> {
  const values: number[] = [];
  for (let reading = 0; reading < READINGS; reading++) {
    await pause(1000);
    values.push(residentMebibytes(pid));
  }
  return summarise(values);
}
