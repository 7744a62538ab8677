/** Decides which revisions really get a function's traffic. Pure. */
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelFunction, ModelRevision, TrafficTarget } from '../../common/api/kinds.ts';
import { isProven } from './plan-revisions.ts';

export interface TrafficAssignment {
  /** Revisions by name; percentages add up to 100, unless there is no revision at all. */
  readonly traffic: readonly TrafficTarget[];
  /** Names in the spec that no revision has. */
  readonly missing: readonly string[];
}

export interface TrafficInput {
  readonly function: ModelFunction;
  readonly revisions: readonly ModelRevision[];
  readonly latestCreated: ModelRevision | undefined;
  readonly latestReady: ModelRevision | undefined;
}

/**
 * `latest` means:
 *
 * | strategy | latest created                | gets the traffic                                    |
 * | Surge    | any                           | latest ready, or the latest created if none ever was |
 * | Recreate | has failed, an older was ready | latest ready                                        |
 * | Recreate | else                          | latest created: its callers wait while it starts    |
 *
 * With a name that does not exist, the assignment stays what it was; where that cannot be, latest gets the share.
 */
export function assignTraffic(input: TrafficInput): TrafficAssignment {
  const { spec, status } = input.function;
  const exists = new Set(input.revisions.map(({ metadata }) => metadata.name));
  const latest = latestTarget(input)?.metadata.name;
  const missing = spec.traffic.map(({ revision }) => revision).filter((name) => name !== 'latest' && !exists.has(name));

  const before = status?.traffic ?? [];
  if (missing.length > 0 && before.length > 0 && before.every(({ revision }) => exists.has(revision))) {
    return { traffic: before.map(target), missing };
  }
  if (latest === undefined) return { traffic: [], missing };
  const traffic = spec.traffic.map((share) =>
    target({ ...share, revision: exists.has(share.revision) ? share.revision : latest }),
  );
  return { traffic, missing };
}

function latestTarget({ function: fn, latestCreated, latestReady }: TrafficInput): ModelRevision | undefined {
  if (latestCreated === undefined || latestReady === undefined) return latestCreated;
  if (fn.spec.rollout.strategy === 'Surge') return latestReady;
  return hasFailed(latestCreated) ? latestReady : latestCreated;
}

function hasFailed(revision: ModelRevision): boolean {
  return !isProven(revision) && findCondition(revision.status?.conditions, 'Ready')?.status === 'False';
}

function target({ revision, percent, tag }: TrafficTarget): TrafficTarget {
  return { revision, percent, ...(tag === undefined ? {} : { tag }) };
}
