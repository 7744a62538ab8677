/** A request's claim to a pod: it gets a slot at once or waits for its turn, and what it found on the way is kept for the answer's headers. */
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { Holdings } from '../revision/holdings.ts';
import type { Place } from '../revision/hold-queue.ts';
import { failureMessage, type Revision, type Waiter } from '../revision/revision.ts';
import type { Slot } from '../revision/slot.ts';
import type { Match, RouteTable } from '../routing/route-table.ts';

export interface TurnServices {
  readonly clock: Clock;
  readonly random: () => number;
  readonly routes: RouteTable;
  readonly holdings: Holdings;
  /** True once no request may be held any more. */
  readonly isEnding: () => boolean;
}

export interface TurnEvents {
  /** It waits. */
  held(): void;
  granted(slot: Slot): void;
  denied(code: GatewayErrorCode, message: string): void;
}

interface Denial {
  readonly code: GatewayErrorCode;
  readonly message: string;
}

export class Turn implements Waiter {
  readonly #services: TurnServices;
  readonly #events: TurnEvents;
  #match: Match;
  #revision: Revision;
  #bytes = 0;
  #place: Place<Waiter> | undefined;
  #cancelTimeout: Cancel | undefined;
  #since = 0;
  #waited = 0;
  #isCold = false;

  constructor(services: TurnServices, match: Match, revision: Revision, events: TurnEvents) {
    this.#services = services;
    this.#match = match;
    this.#revision = revision;
    this.#events = events;
  }

  get revision(): Revision {
    return this.#revision;
  }

  get target(): string {
    return this.#match.target;
  }

  /** Milliseconds in the queue so far. */
  get waited(): number {
    return this.#waited;
  }

  /** It waited for the first pod of its revision, not merely for a slot in one. */
  get isCold(): boolean {
    return this.#isCold;
  }

  /** Seconds after which the request, denied with this code, is worth sending again. */
  retryAfter(code: GatewayErrorCode): number {
    return this.#revision.retryAfter(code, this.#waited);
  }

  /** Why a request that arrives now with a body of so many bytes would be turned away, as far as can be said before it has its body. */
  foresee(bytes: number): Denial | undefined {
    return this.#revision.isBehind ? this.#denial(bytes) : undefined;
  }

  /** Claims a slot for a request with a body of so many bytes in memory. */
  take(bytes: number): void {
    this.#bytes = bytes;
    if (this.#revision.isDropped) return this.displaced();
    const slot = this.#revision.acquire(this.#services.clock.monotonic());
    if (slot !== undefined) return this.#events.granted(slot);
    const denial = this.#denial(bytes);
    if (denial !== undefined) return this.#events.denied(denial.code, denial.message);
    this.#hold(false);
  }

  /** Claims another slot after one that came to nothing and was given back: before all who had none yet, and whatever the queue's bounds. */
  takeAgain(bytes: number): void {
    this.#bytes = bytes;
    if (this.#revision.isDropped) return this.displaced();
    const slot = this.#revision.acquireFirst(this.#services.clock.monotonic());
    if (slot !== undefined) return this.#events.granted(slot);
    if (this.#services.isEnding()) return this.#events.denied(SHUTTING_DOWN.code, SHUTTING_DOWN.message);
    this.#hold(true);
  }

  /** While it waits, more of its body has come into memory. False: no more, please. */
  grow(bytes: number): boolean {
    this.#bytes += bytes;
    return this.#place !== undefined && this.#revision.grow(this.#place, bytes);
  }

  /** Gives the claim up. */
  leave(): void {
    if (this.#place !== undefined) this.#revision.leave(this.#place);
    this.#stopWaiting();
  }

  granted(slot: Slot): void {
    this.#stopWaiting();
    this.#events.granted(slot);
  }

  denied(code: GatewayErrorCode, message: string): void {
    this.#stopWaiting();
    this.#events.denied(code, message);
  }

  /** The revision is gone: the function's next one serves the request, if there is one. */
  displaced(): void {
    this.#stopWaiting();
    const { routes, random, clock } = this.#services;
    const match = routes.again(this.#match);
    const { route } = this.#match.routed;
    if (match === undefined) {
      return this.#events.denied('unknown-function', `Function ${route.name} was deleted while the request waited.`);
    }
    const revision = routes.choose(match, random);
    if (revision === undefined) return this.#events.denied('revision-failed', noRevision(route.name));
    const now = clock.monotonic();
    this.#revision.meter.leave(now);
    revision.arrive(now);
    this.#match = match;
    this.#revision = revision;
    this.take(this.#bytes);
  }

  /** Why it may not wait. */
  #denial(bytes: number): Denial | undefined {
    if (this.#services.isEnding()) return SHUTTING_DOWN;
    const { name, failure, settings } = this.#revision;
    if (failure !== undefined) return { code: 'revision-failed', message: failureMessage(name, failure) };
    const { functionName, queue } = settings;
    switch (this.#revision.excess(bytes)) {
      case 'requests':
        return {
          code: 'queue-full',
          message: `${queue.maxRequests} requests wait for ${functionName} (queue.maxRequests).`,
        };
      case 'bytes':
        return {
          code: 'queue-full',
          message: `No more than ${queue.maxBytes} bytes may wait for ${functionName} (queue.maxBytes).`,
        };
      case 'gateway':
        return {
          code: 'gateway-full',
          message: `This gateway holds ${this.#services.holdings.limits.maxQueuedRequests} requests, of all functions together (maxQueuedRequests); send the request again in a while.`,
        };
      case undefined:
        return undefined;
    }
  }

  #hold(again: boolean): void {
    const { clock } = this.#services;
    const left = this.#revision.settings.queue.timeoutSeconds * 1_000 - this.#waited;
    if (left <= 0) return this.#timedOut();
    if (this.#waited === 0) this.#isCold = this.#revision.isCold;
    this.#since = clock.monotonic();
    this.#cancelTimeout = clock.after(left, () => {
      this.leave();
      this.#timedOut();
    });
    this.#place = this.#revision.hold(this, this.#bytes, again);
    this.#events.held();
  }

  #timedOut(): void {
    const { functionName, queue } = this.#revision.settings;
    const message = `No pod of ${functionName} could take the request within ${queue.timeoutSeconds} s (queue.timeoutSeconds).`;
    this.#events.denied('no-pod-in-time', message);
  }

  #stopWaiting(): void {
    if (this.#place === undefined) return;
    this.#place = undefined;
    this.#cancelTimeout?.();
    this.#waited += this.#services.clock.monotonic() - this.#since;
  }
}

export const SHUTTING_DOWN: Denial = {
  code: 'shutting-down',
  message: 'This gateway is shutting down; send the request again.',
};

export function noRevision(functionName: string): string {
  return `Function ${functionName} has no revision that takes traffic yet.`;
}
