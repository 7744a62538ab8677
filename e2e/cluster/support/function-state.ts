/** What a function's status says. Pure. */
import { findCondition } from '../../../common/api/conditions.ts';
import type { Condition, ModelFunction } from '../../../common/api/kinds.ts';

/** The status speaks of the latest change. */
export function isCurrent({ metadata, status }: ModelFunction): boolean {
  return status?.observedGeneration === metadata.generation;
}

export function condition({ status }: ModelFunction, type: string): Condition | undefined {
  return findCondition(status?.conditions, type);
}
