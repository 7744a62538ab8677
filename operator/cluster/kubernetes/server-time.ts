/**
 * The API server's wall clock, by the `Date` header of its answers. Timestamps in objects are its own, and an operator whose clock is minutes off would
 * take pods that have just been made for ones that did not start in time, or leave those that did not start alone.
 */
import type { Clock } from '../../../common/platform/clock.ts';

/** Below this, the difference is the network's, or of the header's whole seconds. */
const NOTABLE_MILLISECONDS = 2000;

export class ServerTime {
  readonly #clock: Clock;
  /** What the monotonic clock is behind. This machine's wall clock is read once: where it jumps later, pods that have just been made would be too old. */
  #offset: number;

  /** @param clock this machine's */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offset = clock.now() - clock.monotonic();
  }

  /** @param date the header of an answer that has just come */
  observe(date: unknown): void {
    const server = typeof date === 'string' ? Date.parse(date) : NaN;
    if (Number.isNaN(server)) return;
    // In the middle of the second that the header names.
    const difference = server + 500 - this.now();
    if (Math.abs(difference) >= NOTABLE_MILLISECONDS) this.#offset += difference;
  }

  /** Milliseconds since the epoch; by this machine's clock until an answer came. */
  now(): number {
    return this.#clock.monotonic() + this.#offset;
  }
}
