import type { BucketRing } from './bucket-ring.ts';

/**
 * Averages over a window of concurrency by second, digit for digit what Knative Serving 1.15 computes, so that its decisions are ours. Both are 0
 * when the window is empty.
 */
export type WindowAverage = (ring: BucketRing, second: number) => number;

/**
 * The plain average at `second`. It runs over the seconds from the first write to the last one only: 6 s after demand returned, over 6 s, not 60.
 * When the last write is older than `second`, the seconds since neither count nor divide, and the oldest that have left the window are taken out.
 */
export const linearAverage: WindowAverage = (ring, second) => {
  const { first, last, length } = ring;
  if (first === undefined || last === undefined) return 0;
  const stale = Math.max(0, second - last);
  if (stale >= length) return 0;
  let total = ring.total;
  for (let left = last + 1; left <= last + stale; left++) total -= ring.at(left);
  return floorTo6Digits(total / Math.min(last - first + 1, length - stale));
};

/** Weight of the newest second is at least this much, or a long window would come out as a plain average. */
const SMALLEST_SMOOTHING = 0.2;
/** The weights of all seconds of a window add up to at least this much. */
const WEIGHT_SUM = 0.9999;

/**
 * The average in which each second weighs less than the next newer one, by a factor that follows from the window's length: 0.2 at 60 s.
 */
export const weightedAverage: WindowAverage = (ring, second) => {
  const { last, length } = ring;
  if (last === undefined || ring.isEmpty(second)) return 0;
  const smoothing = Math.max(1 - Math.pow(1 - WEIGHT_SUM, 1 / length), SMALLEST_SMOOTHING);
  const stale = Math.max(0, second - last);
  let weight = stale === 0 ? smoothing : smoothing * Math.pow(1 - smoothing, stale);
  let average = 0;
  for (let back = 0; back < length - stale && back <= last; back++) {
    average += ring.at(last - back) * weight;
    weight *= 1 - smoothing;
  }
  return average;
};

/** Cuts what additions left behind (10.000000001 would ask for one replica more). Knative rounds half up since 1.20 and cut before. */
function floorTo6Digits(value: number): number {
  return Math.floor(value * 1e6) / 1e6;
}
