/**
 * Decides what a deletion does to an object. A pod that a node may run is only marked, and goes when the kubelet confirms that its program ended;
 * an object with finalizers stays until the last one is taken off; everything else goes at once.
 */
import { timestamp } from '../../../common/api/conditions.ts';
import type { Pod } from '../resources.ts';
import { DEFAULT_GRACE_SECONDS } from './pod-admission.ts';
import type { StoredObject, UnstampedObject } from './stored-object.ts';

export type Deletion =
  | { readonly type: 'Remove' }
  | { readonly type: 'Mark'; readonly object: UnstampedObject }
  /** It is already on its way and nothing got sooner. */
  | { readonly type: 'Nothing' };

/** `askedSeconds` is the caller's grace period, `now` milliseconds since the epoch. */
export function planDeletion(object: StoredObject, askedSeconds: number | undefined, now: number): Deletion {
  const { metadata } = object;
  const held = (metadata.finalizers ?? []).length > 0;
  if (metadata.deletionTimestamp === undefined) {
    const grace = graceSeconds(object, askedSeconds);
    if (grace === 0 && !held) return { type: 'Remove' };
    const generation = metadata.generation === undefined ? {} : { generation: metadata.generation + 1 };
    return { type: 'Mark', object: marked(object, now, grace, generation) };
  }
  const grace = metadata.deletionGracePeriodSeconds ?? 0;
  if (askedSeconds === undefined || (askedSeconds >= grace && grace > 0)) return { type: 'Nothing' };
  const sooner = Math.min(grace, Math.max(0, askedSeconds));
  if (sooner === 0 && !held) return { type: 'Remove' };
  if (sooner === grace) return { type: 'Nothing' };
  const begun = Date.parse(metadata.deletionTimestamp) - grace * 1000;
  return { type: 'Mark', object: marked(object, begun, sooner, {}) };
}

/** True if nothing holds a deleted object any more: no finalizer, and for a pod the kubelet's word. */
export function isFinished({ metadata }: UnstampedObject): boolean {
  return (
    metadata.deletionTimestamp !== undefined &&
    (metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (metadata.finalizers ?? []).length === 0
  );
}

/** Zero for all but a pod that a node may be running. */
function graceSeconds(object: StoredObject, asked: number | undefined): number {
  if (object.kind !== 'Pod' || object.apiVersion !== 'v1') return 0;
  const { spec, status } = object as unknown as Pod;
  if (spec.nodeName === undefined || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0;
  return Math.max(0, asked ?? spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS);
}

function marked(object: StoredObject, begun: number, grace: number, more: { generation?: number }): UnstampedObject {
  const deletionTimestamp = timestamp(begun + grace * 1000);
  return {
    ...object,
    metadata: { ...object.metadata, ...more, deletionTimestamp, deletionGracePeriodSeconds: grace },
  };
}
