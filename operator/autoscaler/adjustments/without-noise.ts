/** Windows add and take away, which can leave 1e-17 of what is gone, and the ceiling of that would be a replica for ever. */
const LEAST = 1e-6;

/**
 * An average as exact as it was measured: to three digits. Concurrency comes from one clock's integral over another clock's seconds, so a single
 * long request reads as 1.000008, and the ceiling of that at a target of 1 would be a second replica that nobody needs.
 */
export function withoutNoise(average: number): number {
  return average < LEAST ? 0 : Number(average.toPrecision(3));
}
