/**
 * A process's view of a resource, kept by a watch: reads cost nothing and are a little behind. A controller's own writes are put in at once
 * (`observe`), so that its next look does not plan the same again, and a late event does not take them back. Objects are replaced, never mutated.
 */
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { keyOf } from './object-key.ts';
import type { Cluster, KubernetesObject, ObjectKey, Resource, Scope, WatchEvent } from './port.ts';
import { isOlderVersion } from './resource-version.ts';

export type CacheEvent<T> = Exclude<WatchEvent<T>, { readonly type: 'Synced' }>;

export interface WatchCache<T extends KubernetesObject> {
  get(key: ObjectKey): T | undefined;
  list(): T[];
  /** The namespace's objects of which `indexBy` gives this value; none without an index. It costs as much as it gives. */
  indexed(namespace: string, value: string): T[];
  /** Resolves when everything that existed at the start is here; rejects if the signal aborts before. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  /** Calls back after each change, in order, for the process's own writes too. What is here already is not reported. */
  subscribe(handler: (event: CacheEvent<T>) => void): Cancel;
  /** Takes in the API server's answer to a create, update or patch of an object of this scope. */
  observe(object: T): void;
}

export interface WatchCacheOptions<T extends KubernetesObject> {
  readonly cluster: Pick<Cluster, 'watch' | 'get'>;
  readonly resource: Resource<T>;
  readonly scope?: Scope;
  readonly indexBy?: (object: T) => string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the watch; the cache then stays as it is. */
  readonly signal: AbortSignal;
}

/**
 * An observed object that the watch has not shown for this long is asked for: if it was made and deleted within a gap of the watch, no event will
 * ever say so. A watch is behind by milliseconds, so this is rare.
 */
const CONFIRM_MILLISECONDS = 10_000;
/** Deleted uids that are remembered, so that the late answer to a write does not raise an object from the dead. */
const MAX_TOMBSTONES = 1000;

export function watchCache<T extends KubernetesObject>(options: WatchCacheOptions<T>): WatchCache<T> {
  return new Cache(options);
}

class Cache<T extends KubernetesObject> implements WatchCache<T> {
  readonly synced: Promise<void>;
  readonly #options: WatchCacheOptions<T>;
  readonly #objects = new Map<string, T>();
  /** By namespace and `indexBy`. */
  readonly #index = new Map<string, Map<string, T>>();
  readonly #handlers = new Set<(event: CacheEvent<T>) => void>();
  /** Keys of observed objects of which the watch has shown nothing yet. */
  readonly #unconfirmed = new Set<string>();
  readonly #tombstones = new Set<string>();
  #hasSynced = false;
  #cancelConfirmation: Cancel | undefined;

  constructor(options: WatchCacheOptions<T>) {
    this.#options = options;
    const { cluster, resource, scope = {}, signal } = options;
    this.synced = new Promise((resolve, reject) => {
      const end = (): void => {
        this.#cancelConfirmation?.();
        reject(new Error(`The watch of ${resource.plural} was ended before it was complete.`));
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
      cluster.watch(
        resource,
        scope,
        (event) => {
          if (event.type === 'Applied') this.#applied(event.object);
          else if (event.type === 'Deleted') this.#deleted(event.object);
          else {
            this.#hasSynced = true;
            resolve();
          }
        },
        signal,
      );
    });
    // Not everyone waits for it.
    this.synced.catch(() => undefined);
  }

  get hasSynced(): boolean {
    return this.#hasSynced;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyOf(key));
  }

  list(): T[] {
    return [...this.#objects.values()];
  }

  indexed(namespace: string, value: string): T[] {
    return [...(this.#index.get(keyOf({ namespace, name: value }))?.values() ?? [])];
  }

  subscribe(handler: (event: CacheEvent<T>) => void): Cancel {
    this.#handlers.add(handler);
    return () => {
      this.#handlers.delete(handler);
    };
  }

  observe(object: T): void {
    if (this.#tombstones.has(object.metadata.uid ?? '')) return;
    const key = keyOf(object.metadata);
    const isNew = this.#objects.get(key)?.metadata.uid !== object.metadata.uid;
    if (!this.#put(key, object) || !isNew) return;
    this.#unconfirmed.add(key);
    this.#confirmLater();
  }

  #applied(object: T): void {
    const key = keyOf(object.metadata);
    if (this.#isReplaced(key, object)) return;
    this.#unconfirmed.delete(key);
    this.#tombstones.delete(object.metadata.uid ?? '');
    this.#put(key, object);
  }

  #deleted(object: T): void {
    const key = keyOf(object.metadata);
    this.#bury(object.metadata.uid ?? '');
    if (this.#objects.get(key)?.metadata.uid !== object.metadata.uid) return;
    this.#unconfirmed.delete(key);
    this.#remove(key, object);
  }

  /** True if this object was deleted and its name given to a newer one that was observed, of which the watch tells later. */
  #isReplaced(key: string, { metadata }: T): boolean {
    const held = this.#objects.get(key)?.metadata;
    return (
      held !== undefined && held.uid !== metadata.uid && isOlderVersion(metadata.resourceVersion, held.resourceVersion)
    );
  }

  /** False if what is here is as new, or newer. */
  #put(key: string, object: T): boolean {
    const before = this.#objects.get(key);
    if (before !== undefined) {
      const { uid, resourceVersion } = before.metadata;
      if (isOlderVersion(object.metadata.resourceVersion, resourceVersion)) return false;
      if (uid === object.metadata.uid) {
        if (resourceVersion === object.metadata.resourceVersion) return false;
        this.#removeFromIndex(key, before);
      } else this.#remove(key, before);
    }
    this.#objects.set(key, object);
    this.#addToIndex(key, object);
    this.#emit({ type: 'Applied', object });
    return true;
  }

  #remove(key: string, last: T): void {
    const held = this.#objects.get(key);
    if (held !== undefined) this.#removeFromIndex(key, held);
    this.#objects.delete(key);
    this.#emit({ type: 'Deleted', object: last });
  }

  #bury(uid: string): void {
    this.#tombstones.add(uid);
    if (this.#tombstones.size <= MAX_TOMBSTONES) return;
    for (const oldest of this.#tombstones) {
      this.#tombstones.delete(oldest);
      return;
    }
  }

  #indexKeyOf(object: T): string | undefined {
    const value = this.#options.indexBy?.(object);
    return value === undefined ? undefined : keyOf({ ...object.metadata, name: value });
  }

  #addToIndex(key: string, object: T): void {
    const indexKey = this.#indexKeyOf(object);
    if (indexKey === undefined) return;
    const objects = this.#index.get(indexKey);
    if (objects === undefined) this.#index.set(indexKey, new Map([[key, object]]));
    else objects.set(key, object);
  }

  #removeFromIndex(key: string, object: T): void {
    const indexKey = this.#indexKeyOf(object);
    if (indexKey === undefined) return;
    const objects = this.#index.get(indexKey);
    objects?.delete(key);
    if (objects?.size === 0) this.#index.delete(indexKey);
  }

  #emit(event: CacheEvent<T>): void {
    for (const handler of this.#handlers) {
      try {
        handler(event);
      } catch (error) {
        // The others, and the writer whose object was observed, have no part in it.
        this.#options.logger.error({ resource: this.#options.resource.plural, err: error }, 'Handler of cache threw');
      }
    }
  }

  #confirmLater(): void {
    const { clock, signal } = this.#options;
    if (this.#cancelConfirmation !== undefined || signal.aborted) return;
    this.#cancelConfirmation = clock.after(CONFIRM_MILLISECONDS, () => {
      void this.#confirm().finally(() => {
        this.#cancelConfirmation = undefined;
        if (this.#unconfirmed.size > 0) this.#confirmLater();
      });
    });
  }

  async #confirm(): Promise<void> {
    const { cluster, resource, signal } = this.#options;
    for (const key of [...this.#unconfirmed]) {
      const held = this.#objects.get(key);
      if (held === undefined) continue;
      let found: T | undefined;
      try {
        found = await cluster.get(resource, held.metadata);
      } catch {
        return; // It is asked again.
      }
      const isStillUnknown = this.#unconfirmed.has(key) && this.#objects.get(key)?.metadata.uid === held.metadata.uid;
      if (signal.aborted || !isStillUnknown || found?.metadata.uid === held.metadata.uid) continue;
      this.#unconfirmed.delete(key);
      this.#bury(held.metadata.uid ?? '');
      this.#remove(key, held);
    }
  }
}
