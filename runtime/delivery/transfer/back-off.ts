import type { ResponseHead } from '../http/response-head.ts';

/** Pauses between attempts, in milliseconds. Spread, so that the replicas of a burst do not come back in the same instant. */
const PAUSES = [250, 1000, 4000];

/** Attempts in all, the first included, of which none brought anything. */
export const MOST_ATTEMPTS = PAUSES.length + 1;

/** Longer than this no server keeps a start waiting. */
const MOST_ASKED_MILLISECONDS = 30_000;

/**
 * Before the attempt after `failures` vain ones in a row; undefined if it is not worth another. `random` is from 0 to 1: half a pause at least. It comes on
 * top of the `asked` milliseconds that the server wants.
 */
export function pauseAfter(failures: number, random: number, asked = 0): number | undefined {
  const pause = PAUSES[failures - 1];
  return pause === undefined ? undefined : Math.min(asked, MOST_ASKED_MILLISECONDS) + pause * (0.5 + random / 2);
}

/** Milliseconds, of a retry-after in seconds; 0 without one. */
export function retryAfter({ headers }: ResponseHead): number {
  const [, seconds] = /^(\d{1,6})$/.exec(headers['retry-after'] ?? '') ?? [];
  return Number(seconds ?? 0) * 1000;
}
