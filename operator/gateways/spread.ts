/** No window is longer, so older seconds count for nothing. */
export const HORIZON_SECONDS = 3600;

/**
 * Spreads request-seconds, or requests, evenly over the time in which they came about: 3 request-seconds from 10.5 to 12.0 are an average concurrency
 * of 1 in second 10 and of 2 in second 11. The parts add up to the whole; only what is older than the horizon is left out.
 */
export function spread(from: number, to: number, amount: number, add: (second: number, part: number) => void): void {
  if (amount === 0) return;
  if (to <= from) return add(Math.floor(to), amount);
  const rate = amount / (to - from);
  const start = Math.max(from, to - HORIZON_SECONDS);
  for (let second = Math.floor(start); second < to; second++) {
    add(second, rate * (Math.min(second + 1, to) - Math.max(second, start)));
  }
}
