/** Deletes pods of a revision that is gone and that nothing else deletes: `kubectl delete --cascade=orphan` takes their owner away. */
import { LABELS, MANAGER } from '../../common/api/names.ts';
import { deleteExactly } from '../cluster/delete-exactly.ts';
import type { Cluster } from '../cluster/port.ts';
import { MODEL_REVISIONS, PODS, type Pod } from '../cluster/resources.ts';

/** @param pods those with the revision's label */
export async function deleteOrphans(
  cluster: Cluster,
  namespace: string,
  revision: string,
  pods: readonly Pod[],
): Promise<void> {
  const orphans = pods.filter(
    ({ metadata: { deletionTimestamp, labels, ownerReferences = [] } }) =>
      deletionTimestamp === undefined && labels?.[LABELS.managedBy] === MANAGER && ownerReferences.length === 0,
  );
  // The watch of revisions may be behind that of pods, so the API server has the last word.
  if (orphans.length === 0 || (await cluster.get(MODEL_REVISIONS, { namespace, name: revision })) !== undefined) return;
  await Promise.all(orphans.map(({ metadata }) => deleteExactly(cluster, PODS, metadata)));
}
