/**
 * Counts a revision's failed starts in a row and decides when the next may be tried, and when callers are told instead of held. State in, state
 * out; a pod carries the count in an annotation, so that the count survives the operator.
 */
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelRevisionStatus } from '../../common/api/kinds.ts';
import { isReason, type Reason } from '../../common/api/reasons.ts';
import { isPermanent, type PodFailure } from './pod-failure.ts';

export interface StartHistory {
  /** In a row. Pods that were started together and failed together count once. */
  readonly failures: number;
  readonly last: StartFailureRecord | undefined;
  /** Milliseconds since the epoch before which no pod is started. */
  readonly retryAt: number;
}

export interface StartFailureRecord {
  readonly reason: Reason;
  readonly message: string;
  readonly permanent: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export const NO_FAILURES: StartHistory = { failures: 0, last: undefined, retryAt: 0 };

/** The first replacement starts at once: most pods that end did so for a reason of their own. The second waits 1 s, each further one twice as long. */
const SECOND_RETRY_MILLISECONDS = 1000;
const LONGEST_RETRY_MILLISECONDS = 300_000;

/** A pod that was ready for so long ends the row: the revision can start. */
const HEALED_AFTER_MILLISECONDS = 10_000;

/** Failures in a row after which callers get the reason instead of a place in the queue. */
const HOPELESS_AFTER = { permanent: 2, other: 3 } as const;

/**
 * @param attempt the failed pod's: failures in a row before it was made
 * @param now milliseconds since the epoch
 */
export function recordFailure(history: StartHistory, failure: PodFailure, attempt: number, now: number): StartHistory {
  const failures = Math.max(history.failures, attempt + 1);
  const last = { reason: failure.reason, message: failure.message, permanent: failure.permanent, at: now };
  const retryAt = failures > history.failures ? now + retryDelay(failures) : history.retryAt;
  return { failures, last, retryAt };
}

/** Lets the next start happen now; the row goes on. */
export function retryNow(history: StartHistory): StartHistory {
  return { ...history, retryAt: 0 };
}

/** Milliseconds since the epoch at which a ready pod ends the row; undefined if it was made before the row's last failure, which it knows nothing of. */
export function healsAt(
  history: StartHistory,
  pod: { readonly attempt: number; readonly readyAt: number },
): number | undefined {
  return history.failures > 0 && pod.attempt >= history.failures ? pod.readyAt + HEALED_AFTER_MILLISECONDS : undefined;
}

/** True of a pod that was ready for so long that its end begins a row of its own, however many starts failed before it. */
export function endedRow(readyAt: number | undefined, now: number): boolean {
  return readyAt !== undefined && now >= readyAt + HEALED_AFTER_MILLISECONDS;
}

/** It failed so often in a row that the next start will hardly go better. */
export function isHopeless({ last, failures }: StartHistory): boolean {
  return last !== undefined && failures >= (last.permanent ? HOPELESS_AFTER.permanent : HOPELESS_AFTER.other);
}

/**
 * Why callers need not wait: the revision is hopeless and the next start is not due. Once it is, a caller is held again and thereby wakes the
 * revision, so that what was repaired meanwhile is found out.
 */
export function refusal(history: StartHistory, now: number): StartFailureRecord | undefined {
  return isHopeless(history) && now < history.retryAt ? history.last : undefined;
}

/** What an operator knows that has just started: the status remembers the last failure, whether it was hopeless, and whether it is over. */
export function restoreHistory(status: ModelRevisionStatus | undefined): StartHistory {
  const { lastFailure } = status ?? {};
  if (lastFailure === undefined || !isReason(lastFailure.reason)) return NO_FAILURES;
  if (findCondition(status?.conditions, 'PodsHealthy')?.status === 'True') return NO_FAILURES;
  const { reason, message, time } = lastFailure;
  const permanent = isPermanent(reason);
  // No higher than it surely was: a pod that was made after the last failure carries the true number, and could not end a row that counts more.
  const hopelessAfter = permanent ? HOPELESS_AFTER.permanent : HOPELESS_AFTER.other;
  const failures = findCondition(status?.conditions, 'Ready')?.status === 'False' ? hopelessAfter : 1;
  return { failures, last: { reason, message, permanent, at: Date.parse(time) }, retryAt: 0 };
}

function retryDelay(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(LONGEST_RETRY_MILLISECONDS, SECOND_RETRY_MILLISECONDS * 2 ** (failures - 2));
}
