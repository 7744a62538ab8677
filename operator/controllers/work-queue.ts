/**
 * Runs a function for keys: a key that is added many times runs once, never twice at the same time, and again if it was added while it ran.
 * It decides only when; what a key means is the caller's.
 */
import { backOff } from '../../common/platform/back-off.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** In [0, 1); spreads retries, so that keys that failed together do not retry together. */
  readonly random: () => number;
  /** Keys that run at once. */
  readonly concurrency: number;
  /** Gives the milliseconds after which the key runs again by itself, or undefined. Throwing runs it again after a back-off. */
  readonly process: (key: string) => Promise<number | undefined>;
  /** Bounds of the next retry by what was thrown, in milliseconds; `longest` takes the place of `longestRetry`. */
  readonly retryBounds?: (error: unknown) => { readonly least?: number; readonly longest?: number };
  /** Told of each error, with the milliseconds until the retry. */
  readonly onError: (key: string, error: unknown, retryMilliseconds: number) => void;
  /** Milliseconds before the first retry; each further one waits twice as long. */
  readonly firstRetry?: number;
  /** Milliseconds that no retry exceeds. */
  readonly longestRetry?: number;
}

export class WorkQueue {
  readonly #options: Required<WorkQueueOptions>;
  /** In order of arrival. */
  readonly #waiting = new Set<string>();
  /** Those of them that wait for no room. */
  readonly #urgent = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #later = new Map<string, { readonly at: number; readonly cancel: Cancel }>();
  readonly #failures = new Map<string, number>();
  #closed = false;

  constructor(options: WorkQueueOptions) {
    this.#options = { firstRetry: 50, longestRetry: 60_000, retryBounds: () => ({}), ...options };
  }

  /** Keys that wait for their turn, without those of `addAfter`. */
  get depth(): number {
    return this.#waiting.size;
  }

  /** Runs the key as soon as there is room; an urgent one at once, though `concurrency` keys run. */
  add(key: string, isUrgent = false): void {
    if (this.#closed) return;
    this.#waiting.add(key);
    if (isUrgent) this.#urgent.add(key);
    this.#start();
  }

  /** Runs the key in `milliseconds`, or earlier if it already was to; a run that begins before then replaces the wait. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#closed) return;
    const at = this.#options.clock.monotonic() + milliseconds;
    const planned = this.#later.get(key);
    if (planned !== undefined && planned.at <= at) return;
    planned?.cancel();
    const cancel = this.#options.clock.after(milliseconds, () => {
      this.#later.delete(key);
      this.add(key);
    });
    this.#later.set(key, { at, cancel });
  }

  /** Starts nothing more; resolves when what runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    this.#urgent.clear();
    for (const key of [...this.#later.keys()]) this.#cancelLater(key);
    await Promise.all(this.#running.values());
  }

  #start(): void {
    for (const key of this.#urgent) this.#tryToRun(key);
    for (const key of this.#waiting) {
      if (this.#running.size >= this.#options.concurrency) return;
      this.#tryToRun(key);
    }
  }

  #tryToRun(key: string): void {
    if (this.#running.has(key)) return;
    this.#waiting.delete(key);
    this.#urgent.delete(key);
    this.#cancelLater(key);
    this.#running.set(key, this.#run(key));
  }

  async #run(key: string): Promise<void> {
    // `add` only notes the key: none of `process` runs inside its caller.
    await Promise.resolve();
    try {
      const again = await this.#options.process(key);
      this.#failures.delete(key);
      if (again !== undefined) this.addAfter(key, again);
    } catch (error) {
      const failures = this.#failures.get(key) ?? 0;
      this.#failures.set(key, failures + 1);
      const { retryBounds, longestRetry } = this.#options;
      const { least = 0, longest = longestRetry } = retryBounds(error);
      const delay = Math.max(this.#retryDelay(failures, longest), Math.min(least, longestRetry));
      this.#options.onError(key, error, delay);
      this.addAfter(key, delay);
    } finally {
      this.#running.delete(key);
      if (!this.#closed) this.#start();
    }
  }

  /** Doubles from `firstRetry` to `longest`, of which at least half is waited. */
  #retryDelay(failures: number, longest: number): number {
    const { firstRetry, random } = this.#options;
    return backOff(failures, firstRetry, longest, random());
  }

  #cancelLater(key: string): void {
    this.#later.get(key)?.cancel();
    this.#later.delete(key);
  }
}
