import { backOff } from '../../common/platform/back-off.ts';

const FIRST_MILLISECONDS = 50;
const MOST_MILLISECONDS = 1000;
/** A gateway that says no (an old key, a clock, a bug) will not soon say yes, and each answer costs it a signature check. */
const REFUSED_MILLISECONDS = 10_000;

/**
 * Milliseconds until the next attempt: 50, 100, 200, … up to 1000, or 10,000 after a refusal, each between half and the whole of it by `random`, so
 * that a hundred pods that start at once do not knock at once again.
 */
export function retryDelay(attempt: number, refused: boolean, random: number): number {
  return refused
    ? backOff(0, REFUSED_MILLISECONDS, REFUSED_MILLISECONDS, random)
    : backOff(attempt, FIRST_MILLISECONDS, MOST_MILLISECONDS, random);
}
