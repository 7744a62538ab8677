import type { BucketRing } from './bucket-ring.ts';

/** Seconds that a burst can fill: requests that come at once are measured from one record of a gateway to the next, which lie in two seconds. */
const BURST_SECONDS = 2;
/** The middle one of so many seconds is the rate of a load that has just begun, and nothing of a burst. */
const RECENT_SECONDS = 5;

/**
 * Requests a second that are to be expected, from those of each second of the stable window. A burst is no rate: it is there already and counts by itself.
 * So it is the average without the two busiest seconds; or, if that is more, the middle one of the last five seconds.
 */
export function arrivalRate(ring: BucketRing, second: number): number {
  return Math.max(0, lastingRate(ring), recentRate(ring, second));
}

function lastingRate(ring: BucketRing): number {
  const { first, last } = ring;
  if (first === undefined || last === undefined) return 0;
  let most = 0;
  let next = 0;
  for (let at = Math.max(first, last - ring.length + 1); at <= last; at++) {
    const value = ring.at(at);
    if (value > most) [most, next] = [value, most];
    else if (value > next) next = value;
  }
  const seconds = Math.min(last - first + 1, ring.length);
  return seconds <= RECENT_SECONDS ? 0 : (ring.total - most - next) / (seconds - BURST_SECONDS);
}

function recentRate(ring: BucketRing, second: number): number {
  const { first, last } = ring;
  if (first === undefined || last === undefined) return 0;
  const recent: number[] = [];
  for (let at = second - RECENT_SECONDS + 1; at <= second; at++) recent.push(at < first || at > last ? 0 : ring.at(at));
  return recent.sort((a, b) => a - b)[BURST_SECONDS] ?? 0;
}
