import { LABELS, MANAGER } from '../../common/api/names.ts';
import { isOwned } from './is-owned.ts';
import type { KubernetesObject, ObjectMeta } from './port.ts';

/**
 * True if the function owns it, or did so until somebody took the owner off, by hand or by `kubectl delete --cascade=orphan`: then no controller owns
 * it, and its labels still say whose it was. Like a Deployment with its ReplicaSets, the function takes it back.
 */
export function belongsTo(metadata: ObjectMeta, fn: KubernetesObject): boolean {
  if (isOwned(metadata, fn.metadata.uid)) return true;
  const { labels = {}, ownerReferences = [] } = metadata;
  return (
    !ownerReferences.some(({ controller }) => controller === true) &&
    labels[LABELS.managedBy] === MANAGER &&
    labels[LABELS.function] === fn.metadata.name
  );
}
