/** What a function's status says. Pure. */
import { findCondition } from '../common/api/conditions.ts';
import type { Condition, ModelFunction } from '../common/api/kinds.ts';

export function condition({ status }: ModelFunction, type: string): Condition | undefined {
  return findCondition(status?.conditions, type);
}

/** The status speaks of the latest change. */
export function isCurrent({ metadata, status }: ModelFunction): boolean {
  return status?.observedGeneration === metadata.generation;
}

/** Its latest change is carried out, and calls are served. */
export function isReady(fn: ModelFunction): boolean {
  return isCurrent(fn) && condition(fn, 'Ready')?.status === 'True';
}

/** So many replicas are ready, no more and no fewer. */
export function hasReplicas({ status }: ModelFunction, replicas: number): boolean {
  return status?.replicas === replicas && status.desiredReplicas === replicas;
}
