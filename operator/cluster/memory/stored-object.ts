/** Objects as the store holds them: what JSON can say, deeply frozen, so that one copy serves every reader and nobody can change the store. */
import type { KubernetesObject, ObjectMeta } from '../port.ts';

export interface StoredMeta extends ObjectMeta {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
}

export interface StoredObject extends KubernetesObject {
  readonly metadata: StoredMeta;
  readonly [field: string]: unknown;
}

/** An object on its way into the store, before it has its next resourceVersion. */
export interface UnstampedObject extends KubernetesObject {
  readonly metadata: Omit<StoredMeta, 'resourceVersion'>;
  readonly [field: string]: unknown;
}

/** `apiVersion/kind`, which names a resource in owner references too. */
export type ResourceId = string;

export function resourceId(object: { readonly apiVersion: string; readonly kind: string }): ResourceId {
  return `${object.apiVersion}/${object.kind}`;
}

/** The same subtree is never frozen twice, so a new object that shares most of an old one costs only what is new. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
