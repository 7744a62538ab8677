/**
 * Decides how long a pod is left alone after it did not take a request. Pure. Waits double with each failure in a row, so that a full pod is asked
 * again within milliseconds and a dead address costs next to nothing; an answer, an announcement or a route renews the pod at once.
 */
import type { NotAdmitted } from '../../common/wire/headers.ts';

export type RestReason = NotAdmitted | 'Unreachable' | 'Silent' | 'Stranger';

/** Milliseconds after the first failure, and at most. */
const REST: Readonly<Record<RestReason, { readonly first: number; readonly most: number }>> = {
  // Other gateways fill its slots; they free at the pace of inference.
  LimitReached: { first: 5, most: 160 },
  NotReady: { first: 50, most: 1_000 },
  // A drain that no SIGTERM follows lapses after 10 s.
  Draining: { first: 10_000, most: 10_000 },
  Unreachable: { first: 50, most: 30_000 },
  // A pod answers 504 itself when timeoutSeconds are over, so one that says nothing hangs; to ask it again costs a request all of that time.
  Silent: { first: 5_000, most: 60_000 },
  // The address belongs to somebody else now; only news from the operator or the pod itself can change that.
  WrongPod: { first: 1_000, most: 30_000 },
  Stranger: { first: 1_000, most: 30_000 },
};

export const REST_REASONS = Object.keys(REST) as RestReason[];

/** Milliseconds; `failures` counts those in a row, this one included, so it is at least 1. */
export function podRest(reason: RestReason, failures: number): number {
  const { first, most } = REST[reason];
  return Math.min(most, first * 2 ** Math.min(failures - 1, 20));
}

/** An answer of 500 can be the request's own fault; so many in a row are the pod's. */
const ERRORS = 5;
const AFTER_ERRORS = { first: 1_000, most: 30_000 };

/** Milliseconds that a pod is spared, as long as others are well, after so many answers of 500 or 502 in a row; 0 before that is its fault. */
export function errorRest(errors: number): number {
  if (errors < ERRORS) return 0;
  return Math.min(AFTER_ERRORS.most, AFTER_ERRORS.first * 2 ** Math.min(errors - ERRORS, 20));
}
