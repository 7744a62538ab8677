/**
 * Every reason that a condition, an event or a failed route can carry, with what it means. Reasons are what scripts and alerts compare; the message
 * beside one holds the particulars. The runtime's own reasons of a failed start are among them.
 */
import { START_FAILURES } from '../wire/runtime-environment.ts';

export const REASONS = {
  ...START_FAILURES,

  Ready: 'All that was asked for is there.',
  Reconciling: 'The latest change has not been carried out yet.',
  Starting: 'Pods are starting.',
  Serving: 'At least one pod is ready.',
  NoDemand: 'Nobody has called for a while; the next request wakes it.',
  Retired: 'The revision gets no traffic and need not prove itself, so it has no pods.',
  WaitingForOldPods:
    'With the strategy Recreate, the pods of the other revisions must be gone before those of the new one start.',
  WaitingForCapacity: 'A budget has no room for all replicas that are wanted; they start when others give theirs up.',
  ProvidersInUse: 'Every execution provider that was asked for is in use.',
  FellBack: 'An execution provider is not there, so one listed after it serves.',
  Routed: 'Traffic goes where the spec says.',
  RevisionMissing: 'Traffic names a revision that does not exist.',
  NoRevisionReady: 'No revision has been ready yet.',
  SpecInvalid: 'The API server refuses what the spec leads to.',
  NotOwned: 'An object of the name that is needed exists and belongs to somebody else.',

  Unschedulable: 'No node fits the pod.',
  ImagePullFailed: 'The image of the runtime cannot be pulled.',
  ContainerNotCreated: 'The kubelet cannot make the container, often because a Secret is missing.',
  OutOfMemory: 'The process used more memory than its limit.',
  Exited: 'The process ended by itself.',
  Evicted: 'The node took the pod away.',
  PodRejected: 'The node refused the pod.',
  StartTimeout: 'The pod was not ready within startTimeoutSeconds.',
  QuotaExceeded: 'A quota of the namespace is used up.',
  PodRefused: 'The API server refuses the pod.',

  RevisionCreated: 'A change of the spec made a new revision.',
  RevisionReady: 'A revision has become ready.',
  RevisionDeleted: 'An old revision was deleted, for it was above revisionHistoryLimit.',
  ScaledFromZero: 'The first pod of an idle revision was asked for.',
  ScaledToZero: 'The last pod of a revision was given back.',
} as const;

export type Reason = keyof typeof REASONS;

export function isReason(text: string): text is Reason {
  return Object.hasOwn(REASONS, text);
}
