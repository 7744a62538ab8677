/** A program that runs beside a test until it is ended, such as a proxy or a server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

const START_MILLISECONDS = 30_000;

export class BackgroundProcess {
  readonly #child: ChildProcess;
  readonly #what: string;
  readonly #ended: Promise<void>;
  /** The last of what it wrote, for whoever asks why it ended. */
  readonly #lines: string[] = [];
  readonly #waiting = new Set<(line: string) => void>();

  constructor(program: string, args: readonly string[]) {
    this.#what = program;
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', () => resolve());
      this.#child.on('close', () => resolve());
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on('line', (line) => {
        this.#lines.push(line);
        if (this.#lines.length > 50) this.#lines.shift();
        for (const seen of this.#waiting) seen(line);
      });
    }
  }

  /** The first group of the first line that it writes from now on and that matches. */
  async says(pattern: RegExp): Promise<string> {
    const said = new Promise<string>((resolve) => {
      const seen = (line: string): void => {
        const match = pattern.exec(line);
        if (match === null) return;
        this.#waiting.delete(seen);
        resolve(match[1] ?? '');
      };
      this.#waiting.add(seen);
    });
    const timeout = new Promise<'late'>((resolve) => {
      setTimeout(resolve, START_MILLISECONDS, 'late').unref();
    });
    const result = await Promise.race([said, this.#ended.then(() => 'ended' as const), timeout]);
    if (result !== 'late' && result !== 'ended') return result;
    throw new Error(`${this.#what} did not say ${String(pattern)}, but:\n${this.#lines.join('\n')}`);
  }

  async close(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}
