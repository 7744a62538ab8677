import { wait, type Clock } from '../../../common/platform/clock.ts';
import { DownloadError, toDownloadError, type DownloadErrorKind } from '../download-error.ts';
import { MOST_ATTEMPTS, pauseAfter } from './back-off.ts';

export interface Patience {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/** Does the work again after failures that may be gone in a moment. Rejects with DownloadError, or with the signal's reason. */
export async function patiently<Result>(
  work: () => Promise<Result>,
  { clock, random, signal }: Patience,
  isWorthAnother = (kind: DownloadErrorKind): boolean => kind === 'temporary',
): Promise<Result> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      const problem = toDownloadError(error);
      if (!isWorthAnother(problem.kind)) throw problem;
      const pause = pauseAfter(failures, random(), problem.pauseMilliseconds);
      if (pause === undefined) throw new DownloadError(`${problem.message} (${MOST_ATTEMPTS} attempts)`, 'lasting');
      await wait(clock, pause, signal);
    }
  }
}
