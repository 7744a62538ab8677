/** Objects of the cluster, by kubectl. */
import type { KubernetesObject, ObjectKey, Resource, Scope } from '../../../operator/cluster/port.ts';
import { collectionPath, labelSelector } from '../../../operator/cluster/kubernetes/resource-path.ts';
import { kubectl } from './kubectl.ts';

export interface Listed<T> {
  readonly objects: readonly T[];
  readonly resourceVersion: string;
}

/** Undefined where there is none. */
export async function getObject<T extends KubernetesObject>(
  resource: Resource<T>,
  key: ObjectKey,
): Promise<T | undefined> {
  const text = await kubectl(['get', typeOf(resource), key.name, ...inNamespace(key), '-o=json', '--ignore-not-found']);
  return text.trim() === '' ? undefined : (JSON.parse(text) as T);
}

export async function listObjects<T extends KubernetesObject>(
  resource: Resource<T>,
  scope: Scope = {},
): Promise<Listed<T>> {
  const text = await kubectl(['get', '--raw', listPath(resource, scope)]);
  const { items, metadata } = JSON.parse(text) as {
    readonly items: readonly T[];
    readonly metadata: { readonly resourceVersion: string };
  };
  return { objects: items, resourceVersion: metadata.resourceVersion };
}

/** Path and query of a list of these objects, for the API server itself. */
export function listPath<T extends KubernetesObject>(
  resource: Resource<T>,
  scope: Scope,
  options: Readonly<Record<string, string>> = {},
): string {
  const selector = labelSelector(scope);
  const query = new URLSearchParams({ ...(selector === undefined ? {} : { labelSelector: selector }), ...options });
  return `${collectionPath(resource, scope.namespace)}?${query.toString()}`;
}

/** `kubectl apply`, of which it gives what was printed. */
export function applyObjects(...objects: readonly object[]): Promise<string> {
  const list = { apiVersion: 'v1', kind: 'List', items: objects };
  return kubectl(['apply', '-f', '-'], { input: JSON.stringify(objects.length === 1 ? objects[0] : list) });
}

/** Starts the deletion and does not wait for its end. */
export async function deleteObject<T extends KubernetesObject>(
  resource: Resource<T>,
  key: ObjectKey,
  ...options: readonly string[]
): Promise<void> {
  await kubectl(['delete', typeOf(resource), key.name, ...inNamespace(key), '--wait=false', ...options]);
}

/** JSON merge patch; `--subresource=status` and the like are options. */
export async function patchObject<T extends KubernetesObject>(
  resource: Resource<T>,
  key: ObjectKey,
  patch: object,
  ...options: readonly string[]
): Promise<void> {
  const content = JSON.stringify(patch);
  await kubectl(['patch', typeOf(resource), key.name, ...inNamespace(key), '--type=merge', '-p', content, ...options]);
}

/** `pods`, `modelfunctions.v1alpha1.pilotlight.dev` */
export function typeOf<T extends KubernetesObject>({ apiVersion, plural }: Resource<T>): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? plural : `${plural}.${version}.${group ?? ''}`;
}

function inNamespace({ namespace }: ObjectKey): string[] {
  return namespace === undefined ? [] : ['-n', namespace];
}
