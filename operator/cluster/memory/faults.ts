/**
 * What a real cluster does to its clients sooner or later, on purpose and on demand. Each fault is a decision about one occasion, so a test hits
 * exactly the one it means, and a soak draws from its own randomness.
 */
import type { ClusterError, ObjectKey } from '../port.ts';
import type { Pod } from '../resources.ts';
import type { Change } from './store.ts';
import type { ResourceId } from './stored-object.ts';

export interface Faults {
  /** An error fails the call before it does anything: Unavailable, Conflict, TooManyRequests. */
  readonly call?: (call: ClusterCall) => ClusterError | undefined;
  /** What becomes of a change on its way to one watcher. */
  readonly delivery?: (change: Change) => DeliveryFault | undefined;
  /** Milliseconds by which a pod's address and phase reach its status after its program started, as a busy kubelet's do. */
  readonly lateStatusMilliseconds?: (pod: Pod) => number;
  /** The kubelet refuses a pod that the scheduler gave it: OutOfcpu, UnexpectedAdmissionError. */
  readonly refusal?: (pod: Pod) => { readonly reason: string; readonly message: string } | undefined;
  /** The program never sees SIGTERM, so it lives to the end of the grace and is killed. */
  readonly ignoresTermination?: (pod: Pod) => boolean;
}

export interface ClusterCall {
  readonly verb: 'get' | 'list' | 'create' | 'update' | 'patchStatus' | 'scale' | 'delete';
  readonly resource: ResourceId;
  /** Absent for list. */
  readonly key: ObjectKey | undefined;
}

export type DeliveryFault =
  /** It comes so much later, and what follows waits behind it: a stale cache. */
  | { readonly type: 'Delayed'; readonly milliseconds: number }
  | { readonly type: 'Doubled' }
  /** It never comes; a list after so many milliseconds finds what it told, if that still differs. */
  | { readonly type: 'Lost'; readonly healedAfterMilliseconds: number }
  /** The connection breaks: neither this nor anything else comes, until a list after so many milliseconds. */
  | { readonly type: 'Cut'; readonly milliseconds: number };
