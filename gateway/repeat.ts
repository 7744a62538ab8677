import type { Cancel, Clock } from '../common/platform/clock.ts';

/** Calls back every so many milliseconds until it is cancelled; never twice for one interval that was missed. */
export function repeat(clock: Clock, milliseconds: number, callback: () => void): Cancel {
  let cancel: Cancel;
  const next = (): void => {
    cancel = clock.after(milliseconds, next);
    callback();
  };
  cancel = clock.after(milliseconds, next);
  return () => {
    cancel();
  };
}
