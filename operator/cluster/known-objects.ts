/** What a watch has reported so far, so that a fresh list after a gap is reported as its differences alone. */
import { keyOf } from './object-key.ts';
import type { KubernetesObject, WatchEvent } from './port.ts';

export class KnownObjects<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();

  /** Everything that exists now: reports what is new or different, and what is gone. */
  replace(objects: readonly T[]): WatchEvent<T>[] {
    const events: WatchEvent<T>[] = [];
    const present = new Set(objects.map(({ metadata }) => keyOf(metadata)));
    for (const [key, object] of this.#objects) {
      if (present.has(key)) continue;
      this.#objects.delete(key);
      events.push({ type: 'Deleted', object });
    }
    for (const object of objects) events.push(...this.apply(object));
    return events;
  }

  /** An object's new state. One that replaced another of the same name is two events, and a state that is known already is none. */
  apply(object: T): WatchEvent<T>[] {
    const key = keyOf(object.metadata);
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    if (before === undefined) return [{ type: 'Applied', object }];
    if (before.metadata.uid !== object.metadata.uid) {
      return [
        { type: 'Deleted', object: before },
        { type: 'Applied', object },
      ];
    }
    return before.metadata.resourceVersion === object.metadata.resourceVersion ? [] : [{ type: 'Applied', object }];
  }

  /** The last state of an object that is gone, or has left the watch's scope. */
  remove(object: T): WatchEvent<T>[] {
    return this.#objects.delete(keyOf(object.metadata)) ? [{ type: 'Deleted', object }] : [];
  }
}
