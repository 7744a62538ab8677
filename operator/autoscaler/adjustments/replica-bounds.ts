import type { Adjustment } from './adjustment.ts';

/** The user's lower bound; a revision without traffic may go to zero. */
export const minReplicas: Adjustment = {
  reason: 'MinReplicas',
  adjust: (desired, { revision }) => (revision.reachable ? Math.max(desired, revision.scaling.minReplicas) : desired),
};

/** The user's upper bound. It comes last: nothing may go above it. */
export const maxReplicas: Adjustment = {
  reason: 'MaxReplicas',
  adjust: (desired, { revision }) => Math.min(desired, revision.scaling.maxReplicas),
};
