/**
 * Kills this process's children when it ends, however it ends: a tiny shell reads from a pipe which process groups live, and when the pipe closes,
 * which a SIGKILL of this process does too, it kills what is left. Nothing has to be wrapped around the children, so it costs their start nothing.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** `+123` remembers a group, `-123` forgets it. Signals that a terminal sends to this process are none of its business. */
const SCRIPT = `
trap '' HUP INT TERM
groups=' '
while read -r line; do
  group=\${line#?}
  case $line in
    +*) groups="$groups$group " ;;
    -*) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done
`;

type Shell = ChildProcessByStdio<Writable, null, null>;

export class ProcessWatchdog {
  readonly #groups = new Set<number>();
  #shell: Shell | undefined;

  /** The group dies with this process from now on. */
  add(group: number): void {
    this.#groups.add(group);
    if (this.#shell === undefined) this.#start();
    else this.#shell.stdin.write(`+${group}\n`);
  }

  /** The group is gone, and its number may soon be somebody else's. */
  remove(group: number): void {
    this.#groups.delete(group);
    this.#shell?.stdin.write(`-${group}\n`);
  }

  async close(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (shell === undefined) return;
    const exited = once(shell, 'exit');
    shell.ref();
    shell.stdin.end();
    await exited;
  }

  #start(): void {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#shell = shell;
    // It must not keep alive the process that it outlives.
    shell.unref();
    shell.stdin.on('error', () => undefined);
    // If somebody ended it, the next child starts another one.
    const forget = (): void => {
      if (this.#shell === shell) this.#shell = undefined;
    };
    shell.once('exit', forget);
    shell.once('error', forget);
    for (const group of this.#groups) shell.stdin.write(`+${group}\n`);
  }
}
