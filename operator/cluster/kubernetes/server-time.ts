/**
 * The API server's wall clock, by the `Date` header of its answers. Timestamps in objects are its own, and an operator whose clock is minutes off would
 * take pods that have just been made for ones that did not start in time, or leave those that did not start alone.
 */
import type { Clock } from '../../../common/platform/clock.ts';

/** Below this, the difference is the network's, or of the header's whole seconds. */
const NOTABLE_MILLISECONDS = 2000;

export class ServerTime {
  readonly #clock: Clock;
  #offset = 0;

  /** @param clock this machine's */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param date the header of an answer that has just come */
  observe(date: unknown): void {
    const server = typeof date === 'string' ? Date.parse(date) : NaN;
    if (Number.isNaN(server)) return;
    // In the middle of the second that the header names.
    const offset = server + 500 - this.#clock.now();
    this.#offset = Math.abs(offset) < NOTABLE_MILLISECONDS ? 0 : offset;
  }

  /** Milliseconds since the epoch; this machine's until an answer came. */
  now(): number {
    return this.#clock.now() + this.#offset;
  }
}
