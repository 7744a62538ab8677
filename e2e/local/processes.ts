/** Processes of this machine, as `ps` shows them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemClock, wait } from '../../common/platform/clock.ts';
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

/** Those of a pod: the supervisor leads their group, the runtime is the one that runs Node. */
export async function podProcesses(pod: string): Promise<{ readonly group: number; readonly runtime: number }> {
  const all = await list('axeww');
  const own = all.filter(({ command }) => command.split(' ').includes(`${RUNTIME_ENVIRONMENT.podName}=${pod}`));
  const runtime = own.find(({ pid, command }) => !/^\S*sh /.test(command) && own.some((one) => one.pid !== pid));
  if (runtime === undefined) throw new Error(`Pod ${pod} has no runtime process among ${JSON.stringify(own)}.`);
  return { group: runtime.group, runtime: runtime.pid };
}

/** A zombie is not alive. */
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
