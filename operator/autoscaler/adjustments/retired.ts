import type { Adjustment } from './adjustment.ts';

/**
 * A revision without traffic that need not prove itself keeps replicas only while a gateway has requests for it. No window has to pass: with
 * the strategy Recreate the next revision, and its callers, wait for its GPU.
 */
export const retired: Adjustment = {
  reason: 'Retired',
  adjust: (desired, { revision, demand }) => (revision.reachable || demand.inFlight + demand.queued > 0 ? desired : 0),
};
