/** How long to wait before another attempt; pure, the randomness is an argument. */
import { backOff } from '../../../common/platform/back-off.ts';

const BASE_MILLISECONDS = 500;
/** However long an API server was away, it is found again within this. An operator has a handful of watches, so that is no load to speak of. */
const CAP_MILLISECONDS = 10_000;
const WISH_CAP_MILLISECONDS = 30_000;
/** Spreads the watches of all operators after an API server's restart, and is still short against a cold start. */
const FIRST_MILLISECONDS = 100;

/**
 * Milliseconds before attempt number `failures` + 1: up to 100 without a failure (a connection that merely ended), then 250–500, 500–1000, …,
 * 5000–10 000. The server's own wish counts where it is longer, up to 30 000. `random` is in [0, 1).
 */
export function backoffMilliseconds(failures: number, random: number, retryAfterSeconds = 0): number {
  const wish = Math.min(retryAfterSeconds * 1000, WISH_CAP_MILLISECONDS);
  if (failures === 0) return Math.max(FIRST_MILLISECONDS * random, wish);
  return Math.max(backOff(failures - 1, BASE_MILLISECONDS, CAP_MILLISECONDS, random), wish);
}
