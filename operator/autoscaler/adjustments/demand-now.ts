import type { Adjustment } from './adjustment.ts';

/**
 * A request that is in a gateway now has to be served, whatever the windows say: they are empty when the first request wakes a revision, and an
 * average of one long stream can be lost to a gap.
 */
export const demandNow: Adjustment = {
  reason: 'DemandNow',
  adjust: (desired, { revision, demand }) =>
    demand.inFlight + demand.queued > 0 ? Math.max(desired, 1, revision.scaling.activationReplicas) : desired,
};
