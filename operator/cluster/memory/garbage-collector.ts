/**
 * Deletes, in the background, what no living owner holds any more: when the last owner goes, and also when an object names owners that never were or
 * whose name another object (another uid) has now. References to the dead beside living owners are taken off.
 */
import { keyOf } from '../object-key.ts';
import type { OwnerReference } from '../port.ts';
import type { Registry } from './registry.ts';
import type { Change, Store } from './store.ts';
import { resourceId, type StoredObject } from './stored-object.ts';

export class GarbageCollector {
  readonly #store: Store;
  readonly #registry: Registry;
  /** By the owner's uid; each dependant by resource and key. */
  readonly #dependants = new Map<string, Map<string, StoredObject>>();
  readonly #due = new Map<string, StoredObject>();

  constructor(store: Store, registry: Registry) {
    this.#store = store;
    this.#registry = registry;
  }

  /** To be called with every change of the store. */
  observe({ type, object, previous }: Change): void {
    for (const owner of previous?.metadata.ownerReferences ?? []) this.#unlink(owner.uid, identity(object));
    if (type === 'Deleted') {
      for (const dependant of this.#dependants.get(object.metadata.uid)?.values() ?? []) this.#check(dependant);
      return;
    }
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    for (const { uid } of owners) {
      const dependants = this.#dependants.get(uid) ?? new Map<string, StoredObject>();
      this.#dependants.set(uid, dependants.set(identity(object), object));
    }
    this.#check(object);
  }

  #unlink(uid: string, dependant: string): void {
    const dependants = this.#dependants.get(uid);
    dependants?.delete(dependant);
    if (dependants?.size === 0) this.#dependants.delete(uid);
  }

  #check(dependant: StoredObject): void {
    if (this.#due.size === 0) queueMicrotask(() => this.#collect());
    this.#due.set(identity(dependant), dependant);
  }

  #collect(): void {
    const due = [...this.#due.values()];
    this.#due.clear();
    for (const { apiVersion, kind, metadata } of due) {
      const resource = resourceId({ apiVersion, kind });
      const object = this.#store.get(resource, metadata);
      if (object?.metadata.deletionTimestamp !== undefined) continue;
      const owners = object?.metadata.ownerReferences ?? [];
      const living = owners.filter((owner) => this.#isAlive(owner, metadata.namespace));
      if (object === undefined || living.length === owners.length) continue;
      if (living.length === 0) this.#registry.delete(resource, metadata, { uid: object.metadata.uid });
      else this.#registry.update(resource, { ...object, metadata: { ...object.metadata, ownerReferences: living } });
    }
  }

  /** An owner lives in its dependant's namespace or in none. One of a kind that this cluster does not know gets the benefit of the doubt. */
  #isAlive(owner: OwnerReference, namespace = ''): boolean {
    const resource = resourceId(owner);
    if (!this.#registry.serves(resource)) return true;
    const { name, uid } = owner;
    return [namespace, ''].some((place) => this.#store.get(resource, { namespace: place, name })?.metadata.uid === uid);
  }
}

function identity(object: StoredObject): string {
  return `${resourceId(object)}/${keyOf(object.metadata)}`;
}
