import type { Adjustment, AdjustmentInput } from './adjustment.ts';

/**
 * A new revision runs its initial replicas once to prove itself, demand or not. One that cannot start is given up after the start timeout, or it
 * would hold a GPU for ever; requests can still wake it.
 */
export const initialReplicas: Adjustment = {
  reason: 'InitialReplicas',
  adjust: (desired, { revision, initialAttemptOver }) =>
    revision.proven || !revision.reachable || initialAttemptOver
      ? desired
      : Math.max(desired, revision.scaling.initialReplicas),
};

/** True from the moment that an unproven revision has had its start timeout. */
export function isInitialAttemptOver(input: Omit<AdjustmentInput, 'initialAttemptOver'>): boolean {
  const { revision, wokenAt, now } = input;
  return !revision.proven && wokenAt !== undefined && now - wokenAt >= revision.scaling.startTimeoutSeconds * 1000;
}
