/** Pauses between attempts, in milliseconds. Spread, so that the replicas of a burst do not come back in the same instant. */
const PAUSES = [250, 1000, 4000];

/** Attempts in all, the first included, of which none brought anything. */
export const MOST_ATTEMPTS = PAUSES.length + 1;

/** Before the attempt after `failures` vain ones in a row; undefined if it is not worth another. `random` is from 0 to 1: half a pause at least. */
export function pauseAfter(failures: number, random: number): number | undefined {
  const pause = PAUSES[failures - 1];
  return pause === undefined ? undefined : pause * (0.5 + random / 2);
}
