/**
 * Requests that wait for a pod, first come first served. It keeps order, count and bytes; bounds, timeouts and pods are the business of whoever holds it.
 */
import type { Holdings } from './holdings.ts';
import type { Claim } from './slot-owner.ts';

export interface QueueLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
}

/** What would be too much; `gateway`: requests of all functions together. */
export type QueueExcess = 'requests' | 'bytes' | 'gateway';

/** One place in a queue. */
export class Place<Waiter> {
  readonly waiter: Waiter;
  /** Since when it waits, on the monotonic clock. */
  readonly since: number;
  /** Another gateway's, which counts it there. */
  readonly isGuest: boolean;
  bytes: number;
  /** At the gateway that gives out the slots, if that is another one. */
  claim: Claim | undefined = undefined;
  queue: HoldQueue<Waiter> | undefined = undefined;
  previous: Place<Waiter> | undefined = undefined;
  next: Place<Waiter> | undefined = undefined;

  constructor(waiter: Waiter, bytes: number, since: number, isGuest: boolean) {
    this.waiter = waiter;
    this.bytes = bytes;
    this.since = since;
    this.isGuest = isGuest;
  }
}

export class HoldQueue<Waiter> {
  readonly #holdings: Holdings;
  #first: Place<Waiter> | undefined;
  #last: Place<Waiter> | undefined;
  #length = 0;
  #bytes = 0;

  /** `holdings` counts what waits in all queues of the gateway. */
  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** Without guests. */
  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  /** Whose turn it is. */
  get first(): Place<Waiter> | undefined {
    return this.#first;
  }

  /** Since when the first one waits; undefined if none does. */
  get since(): number | undefined {
    return this.#first?.since;
  }

  /** In their order, as they are now. */
  places(): Place<Waiter>[] {
    const places: Place<Waiter>[] = [];
    for (let place = this.#first; place !== undefined; place = place.next) places.push(place);
    return places;
  }

  /** Behind all that have waited as long or longer: at the end, unless it comes from another queue. */
  enter(place: Place<Waiter>): void {
    let before = this.#last;
    while (before !== undefined && before.since > place.since) before = before.previous;
    this.#enterBehind(before, place);
  }

  /** At the front, for a request that had its turn but whose pod did not take it. */
  enterFirst(place: Place<Waiter>): void {
    this.#enterBehind(undefined, place);
  }

  /** More of the body of a request that waits has come in, and is kept. */
  grow(place: Place<Waiter>, bytes: number): void {
    if (place.queue !== this) return;
    place.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Gives a place up, wherever in the queue it is; once more does nothing. */
  leave(place: Place<Waiter>): void {
    if (place.queue !== this) return;
    if (place.previous === undefined) this.#first = place.next;
    else place.previous.next = place.next;
    if (place.next === undefined) this.#last = place.previous;
    else place.next.previous = place.previous;
    place.queue = undefined;
    place.previous = undefined;
    place.next = undefined;
    this.#count(place, -1);
  }

  #enterBehind(before: Place<Waiter> | undefined, place: Place<Waiter>): void {
    const next = before === undefined ? this.#first : before.next;
    place.queue = this;
    place.previous = before;
    place.next = next;
    if (before === undefined) this.#first = place;
    else before.next = place;
    if (next === undefined) this.#last = place;
    else next.previous = place;
    this.#count(place, 1);
  }

  #count({ isGuest, bytes }: Place<Waiter>, by: 1 | -1): void {
    if (isGuest) return;
    this.#length += by;
    this.#bytes += by * bytes;
    this.#holdings.queued += by;
  }
}
