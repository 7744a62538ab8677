/** What the operator knows of a revision beside its object, and would find out anew after a restart. */
import { NO_FAILURES, type StartHistory } from '../pods/start-history.ts';
import type { StartTimes } from '../pods/start-time.ts';
import type { HeldCounts } from './held-counts.ts';

export interface RevisionMemory extends HeldCounts {
  history: StartHistory;
  /** Milliseconds since the epoch since when a pod has been ready without a gap. */
  readySince: number | undefined;
  /** By uid: since when each pod has been ready. */
  readonly readyAt: Map<string, number>;
  startTimes: StartTimes;
  /** By uid: when a pod was first seen to be starting, in milliseconds since the epoch; undefined once something kept it from that. */
  readonly startingSince: Map<string, number | undefined>;
  /** Uids of failed pods that are in the history. */
  readonly counted: Set<string>;
  /** Uids of pods that were deleted from here; the watch may show them for a while as if nothing had happened. */
  readonly deleted: Set<string>;
  /** By uid: how often in a row a pod did not answer when it was asked to drain. */
  readonly unanswered: Map<string, number>;
  /** Milliseconds of the monotonic clock before which no pod is asked to drain again. */
  drainAgainAt: number;
  /** Names of pods that belong to somebody else. */
  readonly foreign: Set<string>;
  /** The latest decision's. */
  wokenAt: number | undefined;
  /** Milliseconds of the monotonic clock at the decision that woke it, until its pods are looked at next. */
  unansweredWake: number | undefined;
  /** The function's generation when it was last looked at. */
  functionGeneration: number;
}

export function newMemory(history: StartHistory = NO_FAILURES, startTimes: StartTimes = []): RevisionMemory {
  return {
    history,
    readySince: undefined,
    readyAt: new Map(),
    startTimes,
    startingSince: new Map(),
    counted: new Set(),
    deleted: new Set(),
    unanswered: new Map(),
    drainAgainAt: 0,
    foreign: new Set(),
    wokenAt: undefined,
    unansweredWake: undefined,
    functionGeneration: 0,
    countsDueAt: undefined,
  };
}
