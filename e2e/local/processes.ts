/** Processes of this machine, as `ps` shows them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock, wait } from '../../common/platform/clock.ts';
import type { Pod } from '../../operator/cluster/resources.ts';
import { RUNTIME_ENVIRONMENT } from '../../common/wire/runtime-environment.ts';

const run = promisify(execFile);
const POLL_MILLISECONDS = 20;

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Its process group; a pod is one. */
  readonly group: number;
  /** With its environment behind it where that was asked for. */
  readonly command: string;
}

/** All that descend from a process, but for the `ps` that found them. */
export async function descendants(pid: number): Promise<Process[]> {
  const all = await list('axww');
  const found = new Map<number, Process>();
  for (let size = -1; size < found.size;) {
    size = found.size;
    for (const one of all) if (one.parent === pid || found.has(one.parent)) found.set(one.pid, one);
  }
  return [...found.values()].filter(({ command }) => !command.startsWith('ps '));
}

export interface PodProcesses {
  /** Supervisor and runtime: all that dies with the pod. */
  readonly group: number;
  readonly runtime: number;
}

/** Of a pod that runs, found by the uid in its environment. */
export async function podProcesses({ metadata: { name, uid } }: Pod): Promise<PodProcesses> {
  const variable = `${RUNTIME_ENVIRONMENT.podUid}=${uid}`;
  const own = (await list('axeww')).filter(({ command }) => command.split(' ').includes(variable));
  const runtime = own.find(({ pid, group }) => pid !== group);
  if (runtime === undefined) throw new Error(`Pod ${name} has no runtime process among ${JSON.stringify(own)}.`);
  return { group: runtime.group, runtime: runtime.pid };
}

/** A zombie is alive in this sense; whoever started it has yet to take note of its end. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** For what tells nobody when it changes. */
export async function waitUntil(
  what: string,
  reached: () => boolean | Promise<boolean>,
  patienceMilliseconds: number,
): Promise<void> {
  const begun = systemClock.monotonic();
  while (!(await reached())) {
    if (systemClock.monotonic() - begun > patienceMilliseconds) throw new Error(`Waited in vain until ${what}.`);
    await wait(systemClock, POLL_MILLISECONDS);
  }
}

async function list(options: string): Promise<Process[]> {
  const { stdout } = await run('ps', [options, '-o', 'pid=,ppid=,pgid=,command='], { maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line) => {
    const [, pid, parent, group, command = ''] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return pid === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), group: Number(group), command }];
  });
}
