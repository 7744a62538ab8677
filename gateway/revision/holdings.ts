/**
 * What one gateway holds for all functions together, in bounds that its memory sets: a function's own queue bounds that function alone. Counted are the
 * requests that wait for a pod, and the bytes of bodies in memory, from their arrival until nobody can need them any more.
 */

export interface HoldingLimits {
  readonly maxQueuedRequests: number;
  readonly maxHeldBytes: number;
}

export class Holdings {
  readonly limits: HoldingLimits;
  /** Counted by the queues. */
  queued = 0;
  #bytes = 0;

  constructor(limits: HoldingLimits) {
    this.limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** No further request may wait. */
  get isFull(): boolean {
    return this.queued >= this.limits.maxQueuedRequests;
  }

  /** Bytes that come while a request waits anyway, or has a pod, are not worth the last of the room: half of it is for requests that are still to come. */
  get hasPlenty(): boolean {
    return this.#bytes < this.limits.maxHeldBytes / 2;
  }

  /** False if that is too much; then nothing is taken. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.limits.maxHeldBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  /** What is in memory already, whatever the bound. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
