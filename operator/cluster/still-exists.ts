import type { Cluster, KubernetesObject, Resource } from './port.ts';

/**
 * Asks the API server whether this very object is there and not being deleted. What was made for one that is gone would be collected, and made again,
 * for as long as the watch that tells of the end is behind the one that tells of the collection.
 */
export async function stillExists<T extends KubernetesObject>(
  cluster: Pick<Cluster, 'get'>,
  resource: Resource<T>,
  { metadata }: T,
): Promise<boolean> {
  const current = (await cluster.get(resource, metadata))?.metadata;
  return current !== undefined && current.uid === metadata.uid && current.deletionTimestamp === undefined;
}
