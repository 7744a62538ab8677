import type { Adjustment } from './adjustment.ts';

/**
 * Once woken, a revision keeps its first replicas until one was ready for a stable window, or until the start timeout has passed. A model that
 * takes 3 minutes to load outlives the requests that woke it (they wait 60 s): without this floor it would be given up before it is ready,
 * woken by the next request, and never start. Without traffic there is no floor.
 */
export const wokenFloor: Adjustment = {
  reason: 'Woken',
  adjust: (desired, { revision, wokenAt, now }) => {
    const { reachable, readySince, scaling } = revision;
    if (!reachable || wokenAt === undefined) return desired;
    const wasReady = readySince !== undefined && now - readySince >= scaling.stableWindowSeconds * 1000;
    const timedOut = now - wokenAt >= scaling.startTimeoutSeconds * 1000;
    return wasReady || timedOut ? desired : Math.max(desired, 1, scaling.activationReplicas);
  },
};
