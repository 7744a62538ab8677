/** A function with its revisions, and what follows from both: who is the latest, who gets traffic. Pure; every controller sees the same. */
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import { belongsTo } from '../cluster/belongs-to.ts';
import { assignTraffic, type TrafficAssignment } from './assign-traffic.ts';
import { isProven, planRevisions, type RevisionPlan } from './plan-revisions.ts';

export interface FunctionView extends RevisionPlan, TrafficAssignment {
  readonly function: ModelFunction;
  /** All that it owns, those that are being deleted left out. */
  readonly revisions: readonly ModelRevision[];
  /** Names of revisions with traffic or a tag, and of a latest one that has yet to prove itself: the others are retired and give back their pods. */
  readonly reachable: ReadonlySet<string>;
}

/** @param revisions with the function's name; those of a former function of that name are left out */
export function viewFunction(fn: ModelFunction, revisions: readonly ModelRevision[]): FunctionView {
  const own = revisions.filter(({ metadata }) => metadata.deletionTimestamp === undefined && belongsTo(metadata, fn));
  const plan = planRevisions(fn, own);
  const assignment = assignTraffic({ ...plan, function: fn, revisions: own });
  const reachable = new Set(assignment.traffic.map(({ revision }) => revision));
  // Once proven it gets what `latest` gets. If that is nothing, somebody went back to an older one, which needs the room.
  const { latestCreated } = plan;
  if (latestCreated !== undefined && !isProven(latestCreated)) reachable.add(latestCreated.metadata.name);
  return { ...plan, ...assignment, function: fn, revisions: own, reachable };
}
