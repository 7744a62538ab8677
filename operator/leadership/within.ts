import type { Clock } from '../../common/platform/clock.ts';

/** Rejects after `milliseconds` if the work has not ended by then; what it gives later is dropped. */
export function within<T>(clock: Clock, milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(milliseconds, () => {
      reject(new Error(`no answer within ${milliseconds / 1000} s`));
    });
    work.then(resolve, reject).finally(cancel);
  });
}
