/** Paths of the Kubernetes REST API. */
import type { KubernetesObject, ObjectKey, Resource, Scope } from '../port.ts';

export type AnyResource = Resource<KubernetesObject>;

export function collectionPath(resource: AnyResource, namespace?: string): string {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}` : `/api/${resource.apiVersion}`;
  const folder = resource.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${root}${folder}/${resource.plural}`;
}

export function objectPath(resource: AnyResource, key: ObjectKey, subresource?: 'status' | 'scale'): string {
  if (resource.namespaced && key.namespace === undefined) {
    throw new TypeError(`${resource.kind} ${key.name} is in a namespace: give it.`);
  }
  const path = `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

/** `labelSelector` of a scope, sorted; undefined if it selects everything. */
export function labelSelector(scope: Scope): string | undefined {
  const labels = Object.entries(scope.labels ?? {});
  if (labels.length === 0) return undefined;
  return labels
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}

/** `Pod default/digits-00001-0`, for messages. */
export function describeObject(resource: AnyResource, key: ObjectKey): string {
  return `${resource.kind} ${key.namespace === undefined ? '' : `${key.namespace}/`}${key.name}`;
}
