/**
 * Decides what is to be done about the NetworkPolicy of a namespace. Pure. It has no owner, for it is all functions' of the namespace: what marks it is
 * its label. Without that it is somebody else's.
 */
import { isDeepStrictEqual } from 'node:util';
import { LABELS, MANAGER } from '../../common/api/names.ts';
import { restoredMetadata } from '../cluster/restored-metadata.ts';
import type { NetworkPolicy } from '../cluster/resources.ts';

export type NetworkPolicyPlan =
  | { readonly type: 'Nothing' }
  | { readonly type: 'Create' | 'Update' | 'Delete'; readonly policy: NetworkPolicy }
  /** Another one has the name that is needed. */
  | { readonly type: 'Foreign'; readonly policy: NetworkPolicy };

/**
 * @param wanted undefined where there is to be none
 * @param present the one of that name
 */
export function planNetworkPolicy(
  wanted: NetworkPolicy | undefined,
  present: NetworkPolicy | undefined,
): NetworkPolicyPlan {
  if (present === undefined) return wanted === undefined ? { type: 'Nothing' } : { type: 'Create', policy: wanted };
  // It goes by itself.
  if (present.metadata.deletionTimestamp !== undefined) return { type: 'Nothing' };
  if (present.metadata.labels?.[LABELS.managedBy] !== MANAGER) {
    return wanted === undefined ? { type: 'Nothing' } : { type: 'Foreign', policy: present };
  }
  if (wanted?.spec === undefined) return { type: 'Delete', policy: present };
  const metadata = restoredMetadata(present.metadata, wanted.metadata);
  // Whole: a selector with one requirement more, or a range where there was a port, would be another policy.
  if (metadata === undefined && isDeepStrictEqual(present.spec, wanted.spec)) return { type: 'Nothing' };
  return { type: 'Update', policy: { ...present, metadata: metadata ?? present.metadata, spec: wanted.spec } };
}
