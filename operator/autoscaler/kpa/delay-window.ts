/** The largest scale that was wanted within the scale-down delay: scaling up is at once, scaling down waits. */

/** A wanted scale that may still be the largest: entries are in order of time and strictly falling. */
export interface DelayedScale {
  readonly interval: number;
  readonly desired: number;
}
export type DelayWindow = readonly DelayedScale[];

/** The delay is counted in intervals of the autoscaler's tick; within one the largest wins. */
const INTERVAL_SECONDS = 2;

/** The window after `desired` was wanted at `now` (seconds); its first entry is the largest. */
export function delayed(window: DelayWindow, desired: number, delaySeconds: number, now: number): DelayWindow {
  const interval = Math.floor(now / INTERVAL_SECONDS);
  const intervals = Math.ceil(delaySeconds / INTERVAL_SECONDS);
  const kept = window.filter((entry) => entry.desired > desired && interval - entry.interval < intervals);
  const sameInterval = kept.at(-1)?.interval === interval;
  return sameInterval ? kept : [...kept, { interval, desired }];
}
