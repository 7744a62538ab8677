/** The command as a user starts it, from the clone. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { systemClock } from '../../common/platform/clock.ts';
import { PATIENCE_MILLISECONDS } from './platform.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'cli', 'bin', 'pilotlight.cjs');

export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export class Command {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #out: string[] = [];
  readonly #err: string[] = [];
  readonly #ended: Promise<number | null>;
  #looking = new Set<() => void>();

  constructor(...args: readonly string[]) {
    this.#child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.pid = this.#child.pid ?? 0;
    const outputs = [
      { stream: this.#child.stdout, lines: this.#out },
      { stream: this.#child.stderr, lines: this.#err },
    ].map(({ stream, lines }) =>
      once(
        createInterface(stream).on('line', (line) => {
          lines.push(line);
          for (const look of this.#looking) look();
        }),
        'close',
      ),
    );
    const exited = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#ended = Promise.all([exited, ...outputs]).then(([[code]]) => {
      for (const look of this.#looking) look();
      return code;
    });
  }

  /** The first line of its standard output that matches, once it is there. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    let look: () => void = () => undefined;
    let cancel: () => void = () => undefined;
    try {
      return await new Promise<RegExpExecArray>((resolve, reject) => {
        look = () => {
          const found = this.#out.map((line) => pattern.exec(line)).find((match) => match !== null);
          if (found !== undefined) resolve(found);
        };
        this.#looking.add(look);
        look();
        const inVain = (): void =>
          reject(new Error(`No line matches ${pattern}: ${JSON.stringify(this.#outcome(null))}`));
        cancel = systemClock.after(PATIENCE_MILLISECONDS, inVain);
        void this.#ended.then(inVain);
      });
    } finally {
      this.#looking.delete(look);
      cancel();
    }
  }

  /** When it ends by itself. */
  async ended(): Promise<Outcome> {
    return this.#outcome(await this.#ended);
  }

  /** Tells it to end, as a service manager would. */
  terminate(): Promise<Outcome> {
    this.#child.kill('SIGTERM');
    return this.ended();
  }

  #outcome(code: number | null): Outcome {
    return { code, out: this.#out.join('\n'), err: this.#err.join('\n') };
  }
}
