/** Hands each change of the store to the watches of its resource. */
import type { Clock } from '../../../common/platform/clock.ts';
import type { Scope, WatchEvent } from '../port.ts';
import type { DeliveryFault } from './faults.ts';
import type { Change, Store } from './store.ts';
import type { ResourceId, StoredObject } from './stored-object.ts';
import { Watcher } from './watcher.ts';

export interface Watch {
  readonly resource: ResourceId;
  readonly scope: Scope;
  readonly onEvent: (event: WatchEvent<StoredObject>) => void;
  readonly signal: AbortSignal;
  readonly fault?: (change: Change) => DeliveryFault | undefined;
}

export class WatchHub {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #onHandlerError: (error: unknown) => void;
  readonly #watchers = new Map<ResourceId, Set<Watcher>>();

  constructor(store: Store, clock: Clock, onHandlerError: (error: unknown) => void) {
    this.#onHandlerError = onHandlerError;
    this.#store = store;
    this.#clock = clock;
    store.subscribe((change) => {
      for (const watcher of this.#watchers.get(change.resource) ?? []) watcher.offer(change);
    });
  }

  /** Reports what is there, Synced, then each change until the signal aborts. */
  watch({ resource, scope, onEvent, signal, fault = () => undefined }: Watch): void {
    if (signal.aborted) return;
    const list = (): StoredObject[] => [...this.#store.list(resource, scope)];
    const watcher = new Watcher({
      clock: this.#clock,
      scope,
      list,
      onEvent,
      fault,
      onHandlerError: this.#onHandlerError,
    });
    const watchers = this.#watchers.get(resource) ?? new Set();
    this.#watchers.set(resource, watchers.add(watcher));
    signal.addEventListener(
      'abort',
      () => {
        watcher.close();
        watchers.delete(watcher);
      },
      { once: true },
    );
  }
}
