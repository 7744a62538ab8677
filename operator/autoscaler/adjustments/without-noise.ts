/**
 * An average of requests as exact as it was measured: to three digits. It comes from one clock's integral over another clock's seconds, so a single
 * long request reads as 1.000008, and the ceiling of that at a target of 1 would be a second replica that nobody needs.
 */
export function withoutNoise(concurrency: number): number {
  return Number(concurrency.toPrecision(3));
}
