import type { Adjustment } from './adjustment.ts';

/**
 * No scaling down while a gateway that had demand for the revision is silent: it may still be serving, cut off from the operator alone, and its
 * requests would lose their pods. Nor before any gateway was heard: only they know which pods of a moment ago are ready and have requests.
 */
export const unknownGateway: Adjustment = {
  reason: 'GatewayUnknown',
  adjust: (desired, { demand, current }) => (demand.unknown ? Math.max(desired, current) : desired),
};
