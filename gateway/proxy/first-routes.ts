/**
 * Holds requests that come before any operator has said what to do with them. A gateway that was killed starts again at its address within a second,
 * and for a while is still sent requests: to answer 404, as for a function that does not exist, would be wrong.
 */
import type { Clock } from '../../common/platform/clock.ts';
import type { Caller } from './caller.ts';

/** Operators come back at most 5 s after the first attempt that failed. */
const PATIENCE_MILLISECONDS = 10_000;

/** As many as connections by default. A client may send any number on one connection without an answer to the first, and no queue counts them yet. */
const MOST_WAITING = 10_000;

export class FirstRoutes {
  readonly #clock: Clock;
  #waiting: Set<() => void> | undefined = new Set();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get haveCome(): boolean {
    return this.#waiting === undefined;
  }

  /** An operator that leads has sent all routes; again does nothing. */
  come(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const begin of waiting ?? []) begin();
  }

  /**
   * Calls `begin` when they come or `deny` when that takes too long or too many wait, and neither once the client has left. Nothing of the body is read
   * meanwhile.
   */
  wait(caller: Caller, begin: () => void, deny: () => void): void {
    if (this.#waiting !== undefined && this.#waiting.size >= MOST_WAITING) return deny();
    const stop = (): void => {
      cancel();
      caller.unwatch(stop);
      this.#waiting?.delete(onRoutes);
    };
    const onRoutes = (): void => {
      stop();
      begin();
    };
    const cancel = this.#clock.after(PATIENCE_MILLISECONDS, () => {
      stop();
      deny();
    });
    caller.watch(stop);
    this.#waiting?.add(onRoutes);
  }
}
