/**
 * The objects themselves, by resource, namespace and name, under one growing resourceVersion. It knows no rules: whoever writes has applied them.
 * Each write is told to the listeners at once; they may only take note of it and act later.
 */
import type { ObjectKey, Scope } from '../port.ts';
import { deepFreeze, resourceId, type ResourceId, type StoredObject, type UnstampedObject } from './stored-object.ts';

export interface Change {
  readonly type: 'Applied' | 'Deleted';
  readonly resource: ResourceId;
  /** As written; of a deleted object the last state, under the resourceVersion of the deletion. */
  readonly object: StoredObject;
  /** Before the change; absent for a new object. */
  readonly previous?: StoredObject;
}

type Names = Map<string, StoredObject>;

export class Store {
  #version = 0;
  readonly #resources = new Map<ResourceId, Map<string, Names>>();
  readonly #listeners: ((change: Change) => void)[] = [];

  subscribe(listener: (change: Change) => void): void {
    this.#listeners.push(listener);
  }

  get(resource: ResourceId, { namespace = '', name }: ObjectKey): StoredObject | undefined {
    return this.#resources.get(resource)?.get(namespace)?.get(name);
  }

  /** In the order of creation within a namespace; costs what the scope's namespace holds. */
  *list(resource: ResourceId, scope: Scope = {}): Generator<StoredObject> {
    const namespaces = this.#resources.get(resource);
    if (namespaces === undefined) return;
    const selected = scope.namespace === undefined ? namespaces.values() : [namespaces.get(scope.namespace)];
    for (const names of selected)
      for (const object of names?.values() ?? []) if (hasLabels(object, scope.labels)) yield object;
  }

  put(object: UnstampedObject): StoredObject {
    const stored = this.#stamp(object);
    const resource = resourceId(object);
    const { namespace = '', name } = object.metadata;
    const namespaces = getOrAdd(this.#resources, resource, () => new Map<string, Names>());
    const names = getOrAdd(namespaces, namespace, () => new Map<string, StoredObject>());
    const previous = names.get(name);
    names.set(name, stored);
    this.#tell({ type: 'Applied', resource, object: stored, ...(previous && { previous }) });
    return stored;
  }

  remove(object: StoredObject): void {
    const resource = resourceId(object);
    const { namespace = '', name } = object.metadata;
    const namespaces = this.#resources.get(resource);
    const names = namespaces?.get(namespace);
    if (names?.delete(name) !== true) return;
    if (names.size === 0) namespaces?.delete(namespace);
    this.#tell({ type: 'Deleted', resource, object: this.#stamp(object), previous: object });
  }

  #stamp(object: UnstampedObject): StoredObject {
    this.#version += 1;
    return deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } });
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** True if the object has all of these labels with these values. */
export function hasLabels(object: StoredObject, labels: Scope['labels'] = {}): boolean {
  for (const [key, value] of Object.entries(labels)) if (object.metadata.labels?.[key] !== value) return false;
  return true;
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
