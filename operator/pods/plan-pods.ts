/** Decides which pods of a revision to create and which to remove. It knows names and states only; who is idle is found out by asking, later. */
import { podName } from '../../common/api/names.ts';
import type { PodState } from './pod-state.ts';

export interface PodPlanInput {
  readonly revision: string;
  readonly pods: readonly PodState[];
  /** Names that others' pods have. */
  readonly takenNames: ReadonlySet<string>;
  readonly desired: number;
  /** Pods that no node fits, at most; more of them would only crowd the queue of the scheduler and of a node autoscaler. */
  readonly maxUnschedulable: number;
}

export interface PodPlan {
  /** Names of pods to create. */
  readonly create: readonly string[];
  /** Pods to delete as they are: failed ones, and starting ones that are no longer wanted. */
  readonly remove: readonly PodState[];
  /** Ready pods of which `drainCount` are to go: those that say they are idle, asked in this order. */
  readonly drain: readonly PodState[];
  readonly drainCount: number;
}

/**
 * | living pods            | what is done                                                             |
 * | fewer than desired     | create the lowest free ordinals, none while maxUnschedulable pods wait   |
 * | more than desired      | remove starting ones, the unschedulable and the newest first, then drain |
 * | unschedulable too many | remove the newest of them                                                |
 *
 * A terminating pod counts as gone, so that its replacement starts with its deletion and not with its end; its name stays taken until then.
 */
export function planPods({ revision, pods, takenNames, desired, maxUnschedulable }: PodPlanInput): PodPlan {
  const failed = pods.filter(({ phase }) => phase === 'Failed');
  const ready = pods.filter(({ phase }) => phase === 'Ready').sort(newestFirst);
  const starting = pods.filter(({ phase }) => phase === 'Starting').sort(leastWantedFirst);
  const unschedulable = starting.filter(isUnschedulable);

  const surplus = Math.max(0, ready.length + starting.length - desired);
  const crowd = Math.max(0, unschedulable.length - maxUnschedulable);
  const dropped = starting.slice(0, Math.max(surplus, crowd));
  const drainCount = sparePods(pods, desired).length;

  const missing = desired - ready.length - starting.length;
  const mayCreate = unschedulable.length < maxUnschedulable;
  const names = new Set([...takenNames, ...pods.map(({ name }) => name)]);
  return {
    create: mayCreate ? freeNames(revision, names, missing) : [],
    remove: [...failed, ...dropped],
    drain: drainCount > 0 ? ready : [],
    drainCount,
  };
}

/**
 * Ready pods beyond what is wanted, the newest first. Gateways spare them as long as the others have room: a load that is spread over all pods leaves
 * none idle, so that none could ever go.
 */
export function sparePods(pods: readonly PodState[], desired: number): PodState[] {
  const ready = pods.filter(({ phase }) => phase === 'Ready').sort(newestFirst);
  return ready.slice(0, Math.max(0, ready.length - desired));
}

/** The lowest free ordinals: `digits-00001-0`, or `digits-00001-1` while that one still terminates. */
function freeNames(revision: string, taken: ReadonlySet<string>, count: number): string[] {
  const names: string[] = [];
  for (let ordinal = 0; names.length < count; ordinal++) {
    const name = podName(revision, ordinal);
    if (!taken.has(name)) names.push(name);
  }
  return names;
}

function isUnschedulable({ failure }: PodState): boolean {
  return failure?.reason === 'Unschedulable';
}

function leastWantedFirst(a: PodState, b: PodState): number {
  return Number(isUnschedulable(b)) - Number(isUnschedulable(a)) || newestFirst(a, b);
}

/** The order is total, so that a plan made from a stale cache asks the same pods again and not further ones. */
function newestFirst(a: PodState, b: PodState): number {
  return b.createdAt - a.createdAt || (a.name < b.name ? 1 : -1);
}
