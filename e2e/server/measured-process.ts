/** A program, on one core where that is wanted, with the CPU time and memory that it uses. Needs Linux, for taskset and /proc. */
import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { cpuMicroseconds } from './processor-time.ts';
import { residentMebibytes } from './resident-memory.ts';

/** The core of what is measured. */
export const SERVER_CORE = 0;
const CLIENT_CORE = 1;

/** Keeps this process, which sends the load, off the core of the servers. */
export function pinThisProcess(): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(CLIENT_CORE), String(process.pid)]);
}

export interface MeasuredProcessOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Any if absent. */
  readonly core?: number | undefined;
}

export class MeasuredProcess {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** The end of what it wrote to its standard error. */
  #errors = '';

  constructor(
    command: string,
    args: readonly string[],
    { environment = {}, directory, core }: MeasuredProcessOptions = {},
  ) {
    const whole = core === undefined ? [command, ...args] : ['taskset', '--cpu-list', String(core), command, ...args];
    this.child = spawn(whole[0] ?? command, whole.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      ...(directory !== undefined && { cwd: directory }),
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
  }

  get errors(): string {
    return this.#errors;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Microseconds on a core so far. */
  cpuMicroseconds(): number {
    return cpuMicroseconds(String(this.child.pid));
  }

  /** MiB. */
  residentMemory(): number {
    return residentMebibytes(String(this.child.pid));
  }

  async end(): Promise<void> {
    if (this.ended) return;
    const exited = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await exited;
  }
}
