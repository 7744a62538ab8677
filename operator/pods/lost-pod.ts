/** Which pods serve nobody and never will, though they exist. Pure. */
import type { Pod } from '../cluster/resources.ts';

/** A kubelet that lives ends a pod within its grace, and says so within seconds. */
export const LOST_MILLISECONDS = 30_000;

/**
 * True of a pod that should long have ended, by its deletion's own time: its node is lost, and the object stays until somebody removes the node. What it
 * took there serves nobody, so there is nothing to wait for.
 */
export function isLost({ metadata: { deletionTimestamp } }: Pod, now: number): boolean {
  return deletionTimestamp !== undefined && now > Date.parse(deletionTimestamp) + LOST_MILLISECONDS;
}
