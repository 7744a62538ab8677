import type { Cancel, Clock } from './clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is told to advance; due callbacks run in the order of their times. */
export class ManualClock implements Clock {
  #milliseconds = 0;
  #order = 0;
  #epoch: number;
  readonly #timers = new Set<Timer>();

  constructor(epoch = Date.UTC(2026, 0, 1)) {
    this.#epoch = epoch;
  }

  now(): number {
    return this.#epoch + this.#milliseconds;
  }

  monotonic(): number {
    return this.#milliseconds;
  }

  after(milliseconds: number, callback: () => void): Cancel {
    const timer = { at: this.#milliseconds + Math.max(0, milliseconds), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Somebody sets the wall clock; nothing else has happened. */
  jump(milliseconds: number): void {
    this.#epoch += milliseconds;
  }

  /** Number of callbacks that still wait; a closed component leaves none. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves time forward, letting promises settle after each due callback. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#milliseconds + milliseconds;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#milliseconds = timer.at;
      timer.callback();
      await settle();
    }
    this.#milliseconds = end;
    await settle();
  }

  #next(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at > end) continue;
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  }
}

/** One turn of the event loop: every promise that can settle by itself has settled after it. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
