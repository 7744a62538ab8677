/**
 * Decides when a status is written that counts differently and says nothing else that is new: a second later, with whatever has changed by then. Ten pods that
 * become ready one after the other would be ten writes, and as many to the function's status. When that is stands in the revision's memory.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ModelRevisionStatus } from '../../common/api/kinds.ts';

const HELD_MILLISECONDS = 1000;

export interface HeldCounts {
  /** Milliseconds of the monotonic clock at which counts that are not told yet are to be; undefined without such. */
  countsDueAt: number | undefined;
}

/** Gives the milliseconds for which to write nothing, 0 for none, and notes in `held` when they end. */
export function countsHeldFor(
  held: HeldCounts,
  before: ModelRevisionStatus | undefined,
  next: ModelRevisionStatus,
  now: number,
): number {
  const dueAt = held.countsDueAt ?? now + HELD_MILLISECONDS;
  const isDue = dueAt <= now || before === undefined || !isDeepStrictEqual(withoutCounts(before), withoutCounts(next));
  held.countsDueAt = isDue ? undefined : dueAt;
  return isDue ? 0 : dueAt - now;
}

/** A condition's message may count too; its status and reason do not. */
function withoutCounts(status: ModelRevisionStatus): unknown {
  const { conditions = [], wokenAt, executionProviders, lastFailure, model } = status;
  return {
    conditions: conditions.map(({ type, status, reason }) => ({ type, status, reason })),
    wokenAt,
    executionProviders,
    lastFailure,
    model,
  };
}
