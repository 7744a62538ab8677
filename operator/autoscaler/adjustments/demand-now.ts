import type { Adjustment, AdjustmentInput } from './adjustment.ts';

/**
 * A request that is in a gateway now has to be served, whatever the windows say: they are empty when the first request wakes a revision, and an
 * average of one long stream can be lost to a gap. Requests a second count what comes, not what waits: of 27 that came at once 3 still wait when their
 * panic is over, and an average of zero would let one of the two pods go that answer them.
 */
export const demandNow: Adjustment = {
  reason: 'DemandNow',
  adjust: (desired, input) => {
    const { revision, demand } = input;
    if (demand.inFlight + demand.queued === 0) return desired;
    return Math.max(desired, 1, revision.scaling.activationReplicas, needed(input));
  },
};

function needed({ revision, current, demand }: AdjustmentInput): number {
  const isSeen = revision.scaling.metric === 'Concurrency' || demand.queued === 0;
  return isSeen ? 0 : Math.min(current, revision.readyReplicas);
}
