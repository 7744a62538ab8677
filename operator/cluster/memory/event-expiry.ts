/** Forgets Events an hour after their last write, as an API server does by default, so that a process that runs for weeks does not fill with them. */
import type { Clock } from '../../../common/platform/clock.ts';
import type { Store } from './store.ts';
import type { StoredObject } from './stored-object.ts';

const EVENT = 'v1/Event';
const LIFETIME_MILLISECONDS = 3_600_000;

/** Looks only when another Event is written: old ones cost nothing while none comes. */
export function expireEvents(store: Store, clock: Clock): void {
  const writes: { readonly object: StoredObject; readonly at: number }[] = [];
  store.subscribe(({ type, resource, object }) => {
    if (resource !== EVENT || type !== 'Applied') return;
    writes.push({ object, at: clock.monotonic() });
    queueMicrotask(() => {
      for (let first = writes[0]; first !== undefined && isOld(first.at); first = writes[0]) {
        writes.shift();
        const current = store.get(EVENT, first.object.metadata);
        if (current?.metadata.resourceVersion === first.object.metadata.resourceVersion) store.remove(current);
      }
    });
  });

  function isOld(at: number): boolean {
    return clock.monotonic() - at >= LIFETIME_MILLISECONDS;
  }
}
