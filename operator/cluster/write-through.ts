/** A cluster whose answers to writes go into the caches at once, so that a controller's next look does not plan the same again. */
import type { Cluster, KubernetesObject, Resource } from './port.ts';

/** Takes in an answer; of any resource, also one that nobody caches. */
export type Observe = <T extends KubernetesObject>(resource: Resource<T>, object: T) => void;

export function writeThrough(cluster: Cluster, observe: Observe): Cluster {
  const observed = async <T extends KubernetesObject>(resource: Resource<T>, answer: Promise<T>): Promise<T> => {
    const object = await answer;
    observe(resource, object);
    return object;
  };
  return {
    get: (resource, key) => cluster.get(resource, key),
    list: (resource, scope) => cluster.list(resource, scope),
    watch: (resource, scope, onEvent, signal) => cluster.watch(resource, scope, onEvent, signal),
    create: (resource, object) => observed(resource, cluster.create(resource, object)),
    update: (resource, object) => observed(resource, cluster.update(resource, object)),
    patchStatus: (resource, key, status) => observed(resource, cluster.patchStatus(resource, key, status)),
    scale: (resource, key, replicas) => cluster.scale(resource, key, replicas),
    delete: (resource, key, options) => cluster.delete(resource, key, options),
  };
}
