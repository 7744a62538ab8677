/**
 * Milliseconds until the next attempt, after `before` vain ones: `first`, twice that, four times that, … up to `most`, each between half and the whole of
 * it by `random` in [0, 1), so that those that failed together do not come back together. Pure.
 */
export function backOff(before: number, first: number, most: number, random: number): number {
  return Math.min(most, first * 2 ** before) * (0.5 + random / 2);
}
