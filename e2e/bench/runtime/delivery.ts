/** How fast models come, by the benchmark of that, in a process that may use every core: a download, its hash and its server are three threads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Bench, Goal } from './bench.ts';

export async function measureDelivery(bench: Bench): Promise<void> {
  const program = join(import.meta.dirname, '..', 'delivery.ts');
  const command = ['--cpu-list', `0-${cpus().length - 1}`, process.execPath, program, 'loopback', 'session'];
  const child = spawn('taskset', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  child.on('message', (goal) => bench.goal(goal as Goal));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The benchmark of delivery ended with ${String(code)}.`);
}
