/** Time as an argument: product code takes a Clock, tests walk a ManualClock, only entry points make a SystemClock. */

/** Cancels what it was returned for; calling it again does nothing. */
export type Cancel = () => void;

export interface Clock {
  /** Milliseconds since the Unix epoch, for timestamps that people read. It can jump. */
  now(): number;
  /** Milliseconds of a clock that never jumps, for durations. */
  monotonic(): number;
  /** Calls back once after `milliseconds`. */
  after(milliseconds: number, callback: () => void): Cancel;
}

/** Milliseconds beyond which Node's timers overflow, and call back at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (milliseconds, callback) => {
    let timer: ReturnType<typeof setTimeout>;
    const count = (left: number): void => {
      timer =
        left <= LONGEST_TIMER ? setTimeout(callback, left) : setTimeout(count, LONGEST_TIMER, left - LONGEST_TIMER);
    };
    count(milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** Resolves after `milliseconds`, or at once when the signal aborts; it never rejects. */
export function wait(clock: Clock, milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(milliseconds, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}
