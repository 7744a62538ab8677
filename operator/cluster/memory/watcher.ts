/**
 * One watch: what is in its scope, told once and in order, never from within the write that caused it. A list after a gap is told as its differences
 * from what was told before.
 */
import type { Cancel, Clock } from '../../../common/platform/clock.ts';
import { KnownObjects } from '../known-objects.ts';
import type { Scope, WatchEvent } from '../port.ts';
import type { DeliveryFault } from './faults.ts';
import { hasLabels, type Change } from './store.ts';
import type { StoredObject } from './stored-object.ts';

export interface WatcherOptions {
  readonly clock: Clock;
  readonly scope: Scope;
  readonly list: () => StoredObject[];
  readonly onEvent: (event: WatchEvent<StoredObject>) => void;
  readonly fault: (change: Change) => DeliveryFault | undefined;
  readonly onHandlerError: (error: unknown) => void;
}

interface Delivery {
  readonly event: WatchEvent<StoredObject>;
  /** On the monotonic clock. */
  readonly due: number;
}

export class Watcher {
  readonly #options: WatcherOptions;
  readonly #known = new KnownObjects<StoredObject>();
  #queue: Delivery[] = [];
  #connected = true;
  #scheduled = false;
  #closed = false;
  #cancelList: Cancel | undefined;
  #cancelDelivery: Cancel | undefined;

  constructor(options: WatcherOptions) {
    this.#options = options;
    this.#enqueue([...this.#known.replace(options.list()), { type: 'Synced' }]);
  }

  /** Takes note of a change of the watched resource. */
  offer(change: Change): void {
    const { object, previous } = change;
    const inScope = change.type === 'Applied' && this.#concerns(object);
    if (!this.#connected || (!inScope && (previous === undefined || !this.#concerns(previous)))) return;
    const fault = this.#options.fault(change);
    if (fault?.type === 'Lost') return this.#listAfter(fault.healedAfterMilliseconds);
    if (fault?.type === 'Cut') {
      this.#connected = false;
      this.#cancelList?.();
      this.#cancelList = undefined;
      return this.#listAfter(fault.milliseconds);
    }
    const events = inScope ? this.#known.apply(object) : this.#known.remove(object);
    if (fault?.type === 'Doubled') events.push(...events);
    this.#enqueue(events, fault?.type === 'Delayed' ? fault.milliseconds : 0);
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#cancelList?.();
    this.#cancelDelivery?.();
  }

  #concerns(object: StoredObject): boolean {
    const { namespace, labels } = this.#options.scope;
    return (namespace === undefined || namespace === object.metadata.namespace) && hasLabels(object, labels);
  }

  #listAfter(milliseconds: number): void {
    this.#cancelList ??= this.#options.clock.after(milliseconds, () => {
      this.#cancelList = undefined;
      this.#connected = true;
      this.#enqueue(this.#known.replace(this.#options.list()));
    });
  }

  /** Nothing overtakes what was delayed before it. */
  #enqueue(events: readonly WatchEvent<StoredObject>[], delay = 0): void {
    if (events.length === 0) return;
    const due = Math.max(this.#options.clock.monotonic() + delay, this.#queue.at(-1)?.due ?? 0);
    for (const event of events) this.#queue.push({ event, due });
    this.#schedule();
  }

  #schedule(): void {
    const next = this.#queue[0];
    if (next === undefined || this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    const wait = next.due - this.#options.clock.monotonic();
    if (wait > 0) this.#cancelDelivery = this.#options.clock.after(wait, () => this.#deliver());
    else queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#scheduled = false;
    const next = this.#queue.shift();
    if (next === undefined || this.#closed) return;
    try {
      this.#options.onEvent(next.event);
    } catch (error) {
      this.#options.onHandlerError(error);
    }
    this.#schedule();
  }
}
