/**
 * The cluster's API server where it is a process of this machine, as a file beside the kubeconfig says: to be killed, and started again by its own
 * command line. Elsewhere there is none.
 */
import { spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export class ApiServerProcess {
  readonly #pidFile: string;
  readonly #command: readonly [string, ...string[]];
  readonly #folder: string;
  readonly #log: string;
  #pid: number;

  private constructor(pidFile: string, pid: number, command: readonly [string, ...string[]]) {
    this.#pidFile = pidFile;
    this.#pid = pid;
    this.#command = command;
    this.#folder = readlinkSync(`/proc/${pid}/cwd`);
    this.#log = readlinkSync(`/proc/${pid}/fd/1`);
  }

  /** Undefined if it runs elsewhere, or nobody may end it from here. */
  static find(): ApiServerProcess | undefined {
    const pidFile = join(dirname(process.env['KUBECONFIG'] ?? ''), 'kube-apiserver.pid');
    try {
      const pid = Number(readFileSync(pidFile, 'utf8'));
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      // The number may be somebody else's by now.
      return program.endsWith('kube-apiserver') ? new ApiServerProcess(pidFile, pid, [program, ...args]) : undefined;
    } catch {
      return undefined;
    }
  }

  kill(): void {
    process.kill(this.#pid, 'SIGKILL');
  }

  /** It outlives this process, writes to the same log, and whoever started the cluster finds it to end it. */
  start(): void {
    const [program, ...args] = this.#command;
    const log = openSync(this.#log, 'a');
    const child = spawn(program, args, { cwd: this.#folder, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    if (child.pid === undefined) throw new Error(`${program} could not be started again.`);
    this.#pid = child.pid;
    writeFileSync(this.#pidFile, `${child.pid}\n`);
    child.unref();
  }
}
