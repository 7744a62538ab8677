import type { Adjustment } from './adjustment.ts';

/**
 * The last replica goes only after a whole stable window without a request, and the retention after it. An average of zero is not enough: right
 * after a restart of the operator the windows hold a second or two. Without traffic the retention does not count, as with Knative.
 */
export const silence: Adjustment = {
  reason: 'NotSilentForLong',
  adjust: (desired, { revision, current, silentSeconds }) => {
    if (desired > 0 || current === 0) return desired;
    const { stableWindowSeconds, scaleToZeroRetentionSeconds } = revision.scaling;
    const needed = stableWindowSeconds + (revision.reachable ? scaleToZeroRetentionSeconds : 0);
    return silentSeconds < needed ? 1 : 0;
  },
};
