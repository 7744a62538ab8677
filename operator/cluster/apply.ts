/** `kubectl apply` for local mode, in small: a manifest becomes an object, or replaces what one says, or takes it away. */
import {
  isClusterError,
  type Cluster,
  type KubernetesObject,
  type ObjectKey,
  type ObjectMeta,
  type Resource,
} from './port.ts';

export type ApplyOutcome = 'created' | 'configured' | 'unchanged';

/** A conflict means that somebody else wrote in between; more than a few in a row means that somebody never stops. */
const MAX_ATTEMPTS = 10;

/**
 * Makes the object say what the manifest says: everything but the status and the metadata that others own (owners, finalizers). What the manifest
 * leaves out falls back to its default. An object that says it already is not touched, so a second apply wakes nobody.
 */
export async function apply<T extends KubernetesObject>(
  cluster: Cluster,
  resource: Resource<T>,
  manifest: T,
): Promise<ApplyOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const current = await cluster.get(resource, manifest.metadata);
      if (current === undefined) {
        await cluster.create(resource, manifest);
        return 'created';
      }
      const updated = await cluster.update(resource, {
        ...manifest,
        metadata: merged(current.metadata, manifest.metadata),
      });
      return updated.metadata.resourceVersion === current.metadata.resourceVersion ? 'unchanged' : 'configured';
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !isClusterError(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error;
    }
  }
}

/** Deletes the object; one that is gone already is as good. */
export async function remove<T extends KubernetesObject>(
  cluster: Cluster,
  resource: Resource<T>,
  key: ObjectKey,
): Promise<void> {
  try {
    await cluster.delete(resource, key);
  } catch (error) {
    if (!isClusterError(error, 'NotFound')) throw error;
  }
}

/** Labels and annotations as the manifest has them, the rest as it is. */
function merged(current: ObjectMeta, { labels = {}, annotations = {} }: ObjectMeta): ObjectMeta {
  return { ...current, labels, annotations };
}
