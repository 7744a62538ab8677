import { isClusterError, type Cluster, type KubernetesObject, type ObjectMeta, type Resource } from './port.ts';

/** Deletes this very object: one that is gone, or whose name another has by now, is as good. Rejects while it may still be there. */
export async function deleteExactly<T extends KubernetesObject>(
  cluster: Cluster,
  resource: Resource<T>,
  { namespace, name, uid = '' }: Pick<ObjectMeta, 'namespace' | 'name' | 'uid'>,
): Promise<void> {
  const key = { name, ...(namespace === undefined ? {} : { namespace }) };
  try {
    await cluster.delete(resource, key, { uid });
  } catch (error) {
    if (isClusterError(error, 'NotFound')) return;
    // An admission webhook can answer so too, and then whoever took it for done would wait for a deletion that never comes.
    if (isClusterError(error, 'Conflict') && (await cluster.get(resource, key))?.metadata.uid !== uid) return;
    throw error;
  }
}
