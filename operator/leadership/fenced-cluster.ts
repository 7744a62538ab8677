/** A cluster that only the leader writes to: what was begun while this replica led fails at its next write. Reading is for everybody. */
import { ClusterError, type Cluster } from '../cluster/port.ts';

export function fencedCluster(cluster: Cluster, leads: () => boolean): Cluster {
  const asLeader = async <T>(write: () => Promise<T>): Promise<T> => {
    if (!leads()) throw new ClusterError('Unavailable', 'This replica does not lead any more; the leader will do it');
    return write();
  };
  return {
    get: (resource, key) => cluster.get(resource, key),
    list: (resource, scope) => cluster.list(resource, scope),
    watch: (resource, scope, onEvent, signal) => cluster.watch(resource, scope, onEvent, signal),
    create: (resource, object) => asLeader(() => cluster.create(resource, object)),
    update: (resource, object) => asLeader(() => cluster.update(resource, object)),
    patchStatus: (resource, key, status) => asLeader(() => cluster.patchStatus(resource, key, status)),
    scale: (resource, key, replicas) => asLeader(() => cluster.scale(resource, key, replicas)),
    delete: (resource, key, options) => asLeader(() => cluster.delete(resource, key, options)),
  };
}
