/**
 * Requests that wait for a pod, first come first served, bounded by their number and by the bytes of their bodies. It keeps order and bounds;
 * timeouts and pods are the business of whoever holds it.
 */

import type { Holdings } from './holdings.ts';

export interface QueueLimits {
  readonly maxRequests: number;
  readonly maxBytes: number;
}

export type QueueExcess = 'requests' | 'bytes' | 'gateway';

/** One place in a queue. */
export class Place<Waiter> {
  readonly waiter: Waiter;
  /** When it was taken, on the monotonic clock. */
  readonly since: number;
  bytes: number;
  queue: HoldQueue<Waiter> | undefined = undefined;
  previous: Place<Waiter> | undefined = undefined;
  next: Place<Waiter> | undefined = undefined;

  constructor(waiter: Waiter, bytes: number, since: number) {
    this.waiter = waiter;
    this.since = since;
    this.bytes = bytes;
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

  get length(): number {
    return this.#length;
  }

  /** Since when the first one waits; undefined if none does. */
  get since(): number | undefined {
    return this.#first?.since;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** What is too much, if one more request with that many bytes would be; `gateway`: requests of all functions together. */
  excess(bytes: number, limits: QueueLimits): QueueExcess | undefined {
    if (this.#length + 1 > limits.maxRequests) return 'requests';
    if (this.#bytes + bytes > limits.maxBytes) return 'bytes';
    return this.#holdings.isFull ? 'gateway' : undefined;
  }

  /** At the end, whatever the bounds: ask `excess` first. */
  enter(waiter: Waiter, bytes: number, since: number): Place<Waiter> {
    const place = new Place(waiter, bytes, since);
    place.previous = this.#last;
    if (this.#last === undefined) this.#first = place;
    else this.#last.next = place;
    this.#last = place;
    return this.#taken(place);
  }

  /** At the front, for a request that had its turn but whose pod did not take it; bounds do not apply to what was inside before. */
  enterFirst(waiter: Waiter, bytes: number, since: number): Place<Waiter> {
    const place = new Place(waiter, bytes, since);
    place.next = this.#first;
    if (this.#first === undefined) this.#last = place;
    else this.#first.previous = place;
    this.#first = place;
    return this.#taken(place);
  }

  /**
   * More of the body of a request that waits has come in, and is kept. False if no further byte should be: half of the bytes are for requests that
   * are still to come.
   */
  grow(place: Place<Waiter>, bytes: number, { maxBytes }: QueueLimits): boolean {
    if (place.queue !== this) return false;
    place.bytes += bytes;
    this.#bytes += bytes;
    return this.#bytes < maxBytes / 2;
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
    this.#length -= 1;
    this.#holdings.queued -= 1;
    this.#bytes -= place.bytes;
  }

  /** Whose turn it is; the place is given up. */
  shift(): Waiter | undefined {
    const place = this.#first;
    if (place === undefined) return undefined;
    this.leave(place);
    return place.waiter;
  }

  #taken(place: Place<Waiter>): Place<Waiter> {
    place.queue = this;
    this.#length += 1;
    this.#holdings.queued += 1;
    this.#bytes += place.bytes;
    return place;
  }
}
