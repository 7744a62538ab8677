/**
 * One model revision in the data plane: its pods, the requests that wait for them, and what it may take. Of a revision with a hard limit one gateway gives out
 * the pods' slots; where that is another one, requests wait here, each with a claim there.
 */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { RevisionRoute } from '../../common/wire/routes.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { RevisionMeter } from '../demand/revision-meter.ts';
import { RevisionTally } from '../metrics/revision-tally.ts';
import { HoldQueue, Place, type QueueExcess, type QueueLimits } from './hold-queue.ts';
import type { Holdings } from './holdings.ts';
import { Pod } from './pod.ts';
import { Pods, type PodsServices } from './pods.ts';
import { retryAfter } from './retry-after.ts';
import { RetryBudget } from './retry-budget.ts';
import { LocalSlot, type Slot } from './slot.ts';
import { ClaimedSlot, type GrantedPod, type SlotOwner } from './slot-owner.ts';

/** What the function says about its revisions; live. */
export interface RevisionSettings {
  readonly functionName: string;
  /** Seconds one execution may take. */
  readonly timeoutSeconds: number;
  readonly concurrencyLimit: number;
  readonly queue: QueueLimits & { readonly timeoutSeconds: number };
}

/** A request that waits for a pod. Exactly one of these is called, once, after its place is given up. */
export interface Waiter {
  granted(slot: Slot): void;
  denied(code: GatewayErrorCode, message: string): void;
  /** The revision is gone; perhaps the function has another one. */
  displaced(): void;
}

export interface RevisionServices extends PodsServices {
  readonly clock: Clock;
  readonly holdings: Holdings;
  /** Requests that may be sent again after their pod's death, beyond the share that always may. */
  readonly mostRetries: number;
  /** The gateway that gives out the slots of this revision; undefined if it is this one, or cannot be reached. */
  readonly ownerOf: (namespace: string, name: string) => SlotOwner | undefined;
}

export type Failure = NonNullable<RevisionRoute['failure']>;

export class Revision {
  readonly namespace: string;
  readonly name: string;
  readonly meter: RevisionMeter;
  readonly retries: RetryBudget;
  settings: RevisionSettings;
  readonly #services: RevisionServices;
  readonly #pods: Pods;
  /** Those that this gateway finds a pod for: its own and, where others take it for the owner, theirs. */
  readonly #queue: HoldQueue<Waiter>;
  /** Its own that have a claim at the owner; made with the first, for most revisions never have one. */
  #claimed: HoldQueue<Waiter> | undefined;
  #owner: SlotOwner | undefined;
  #failure: Failure | undefined;
  #startSeconds: number | undefined;
  #cancelWake: Cancel | undefined;
  #isDropped = false;
  #tally: RevisionTally | undefined;

  constructor(
    namespace: string,
    name: string,
    settings: RevisionSettings,
    meter: RevisionMeter,
    services: RevisionServices,
  ) {
    this.namespace = namespace;
    this.name = name;
    this.settings = settings;
    this.meter = meter;
    this.#services = services;
    this.retries = new RetryBudget(services.mostRetries);
    this.#pods = new Pods(services);
    this.#queue = new HoldQueue(services.holdings);
  }

  /** Of this gateway's clients. */
  get queued(): number {
    return this.#queue.length + (this.#claimed?.length ?? 0);
  }

  get queuedBytes(): number {
    return this.#queue.bytes + (this.#claimed?.bytes ?? 0);
  }

  /** Made with the first request: of thousands of revisions nobody calls most. */
  get tally(): RevisionTally {
    return (this.#tally ??= new RevisionTally());
  }

  /** Undefined if there is nothing in it. */
  get tallied(): RevisionTally | undefined {
    return this.#tally;
  }

  /** No pod at all: a request that arrives now is a cold start. */
  get isCold(): boolean {
    return this.#pods.areNone;
  }

  /** A request that arrives now has to wait, as far as can be said without looking at each pod. */
  get isBehind(): boolean {
    return this.queued > 0 || this.#pods.areNone;
  }

  /** Routes do not have it any more. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Why a request cannot be served, if that is known; a failed revision serves on as long as it has pods. */
  get failure(): Failure | undefined {
    return this.#pods.areNone ? this.#failure : undefined;
  }

  get announcements(): Announcement[] {
    return this.#pods.announcements;
  }

  /**
   * A request has come, though perhaps not all of its body. Operators hear at once of the first that finds no pod. With a pod the heartbeat is soon enough:
   * of 200 functions that are called now and then, each request would otherwise be a record of its own to each operator.
   */
  arrive(now: number): void {
    this.meter.arrive(now);
    if (this.isCold && this.meter.present === 1) this.meter.wake(now);
  }

  /** A slot in a pod, or undefined if there is none, others wait for one, or another gateway has to be asked. */
  acquire(now: number): Slot | undefined {
    return this.#queue.isEmpty ? this.acquireFirst(now) : undefined;
  }

  /** A slot in a pod, before those who wait. */
  acquireFirst(now: number): Slot | undefined {
    return this.#owner === undefined ? this.#slot(now, true) : undefined;
  }

  /** What the queue has too much of for one more request with so many bytes. */
  excess(bytes: number): QueueExcess | undefined {
    const { maxRequests, maxBytes } = this.settings.queue;
    if (this.queued + 1 > maxRequests) return 'requests';
    if (this.queuedBytes + bytes > maxBytes) return 'bytes';
    return this.#services.holdings.isFull ? 'gateway' : undefined;
  }

  /** Seconds after which a request that was denied with this code, having waited so many milliseconds, is worth sending again. */
  retryAfter(code: GatewayErrorCode, waited: number): number {
    const oldest = this.#queue.since ?? this.#claimed?.since;
    const milliseconds = oldest === undefined ? waited : Math.max(waited, this.#services.clock.monotonic() - oldest);
    const { isCold } = this;
    return retryAfter(code, { startSeconds: this.#startSeconds, isCold, waitedSeconds: milliseconds / 1_000 });
  }

  /** Ask `excess` first. `again`: a pod refused it, so it goes before all others. */
  hold(waiter: Waiter, bytes: number, again: boolean): Place<Waiter> {
    const place = new Place(waiter, bytes, this.#services.clock.monotonic(), false);
    if (this.#owner === undefined) this.#wait(place, again);
    else this.#claim(place, this.#owner, again);
    // There were pods as it came, but none took it, and no other request has one.
    if (place.queue !== undefined && this.queued === 1 && this.meter.inFlight === 0) this.meter.wake(place.since);
    return place;
  }

  /** Another gateway asks for a slot in place of its client, who has waited since then. It is served from here whoever owns the revision. */
  claim(waiter: Waiter, since: number, again: boolean): Place<Waiter> | undefined {
    const now = this.#services.clock.monotonic();
    const slot = again || this.#queue.isEmpty ? this.#slot(now, false) : undefined;
    if (slot !== undefined) {
      waiter.granted(slot);
      return undefined;
    }
    const place = new Place(waiter, 0, since, true);
    this.#wait(place, again);
    return place;
  }

  /**
   * More of the body of a request that waits is in memory; false if that is enough: half of the bytes are for requests that are still to come.
   */
  grow(place: Place<Waiter>, bytes: number): boolean {
    if (place.queue === undefined) return false;
    place.queue.grow(place, bytes);
    return this.queuedBytes < this.settings.queue.maxBytes / 2;
  }

  /** The client left, or its time in the queue is over. */
  leave(place: Place<Waiter>): void {
    place.queue?.leave(place);
    place.claim?.release(undefined);
    place.claim = undefined;
  }

  /** Takes what routes say. Pods that they listed before and do not now are gone. */
  update(route: RevisionRoute, settings: RevisionSettings): void {
    this.settings = settings;
    this.#failure = route.failure;
    this.#startSeconds = route.startSeconds;
    this.#pods.update(route.pods, this.#services.clock.monotonic());
    this.findOwner();
    this.#settle();
  }

  /** A pod says that it is ready; `Pods.announce` says whether it is believed. */
  announce(announcement: Announcement): ReturnType<Pods['announce']> {
    const verdict = this.#pods.announce(announcement, this.#services.clock.monotonic());
    if (verdict === 'accepted') this.#settle();
    return verdict;
  }

  /** Lets announced pods go that the leader, streaming since `leaderSince`, does not list. */
  expireUnlisted(now: number, leaderSince: number): void {
    if (this.#pods.expireUnlisted(now, leaderSince)) this.#settle();
  }

  /** Which gateways there are, or the way to one, may have changed: requests that wait go on waiting at the one that gives out the slots now, in their order. */
  findOwner(): void {
    const { ownerOf } = this.#services;
    const isShared = this.settings.concurrencyLimit > 0 && !this.#isDropped;
    const owner = isShared ? ownerOf(this.namespace, this.name) : undefined;
    if (owner === this.#owner) return;
    this.#owner = owner;
    const waiting = this.#places().filter(({ isGuest }) => !isGuest);
    for (const place of waiting.sort((a, b) => a.since - b.since)) {
      this.leave(place);
      if (owner === undefined) this.#queue.enter(place);
      else this.#claim(place, owner, false);
    }
    this.#serveQueue();
  }

  /** The revision is gone; requests that pods have run to their end. */
  drop(): void {
    this.#isDropped = true;
    this.#pods.drop(this.#services.clock.monotonic());
    this.flush((waiter) => {
      waiter.displaced();
    });
  }

  /** Empties the queue. */
  flush(dismiss: (waiter: Waiter) => void): void {
    // Only those that wait now: a dismissed request could come straight back.
    for (const place of this.#places()) {
      if (place.queue === undefined) continue;
      this.leave(place);
      dismiss(place.waiter);
    }
    this.#stopWaking();
  }

  /** Ends everything of its own; for the end of the process. */
  close(): void {
    this.#stopWaking();
    this.#pods.close();
  }

  #places(): Place<Waiter>[] {
    return [...this.#queue.places(), ...(this.#claimed?.places() ?? [])];
  }

  #wait(place: Place<Waiter>, again: boolean): void {
    if (again) this.#queue.enterFirst(place);
    else this.#queue.enter(place);
    if (again || this.#queue.first === place) this.#wakeWhenRested();
  }

  #claim(place: Place<Waiter>, owner: SlotOwner, again: boolean): void {
    const claimed = (this.#claimed ??= new HoldQueue(this.#services.holdings));
    if (again) claimed.enterFirst(place);
    else claimed.enter(place);
    const { namespace, name: revision } = this;
    const waited = this.#services.clock.monotonic() - place.since;
    const claim = owner.claim(
      { namespace, revision, waited, again },
      {
        granted: (given) => {
          claimed.leave(place);
          place.claim = undefined;
          place.waiter.granted(this.#slotIn(given, claim));
        },
        // It does not know the revision, or stops to wait for it: this gateway does so itself.
        denied: () => {
          claimed.leave(place);
          place.claim = undefined;
          this.#queue.enter(place);
          this.#serveQueue();
        },
      },
    );
    place.claim = claim;
  }

  /** As granted by the owner, which may know a pod before its announcement is here. */
  #slotIn({ uid, name, ...address }: GrantedPod, claim: ConstructorParameters<typeof ClaimedSlot>[2]): Slot {
    const pod = this.#pods.get(uid) ?? new Pod(uid, name, address, this.#services.connect);
    pod.inFlight += 1;
    this.meter.sent();
    return new ClaimedSlot(pod, this.#services.clock, claim, () => {
      // Before the owner hears of it: by now requests may wait here, too, for who owns the revision can change at any time.
      this.returned(pod, true);
      if (this.#pods.get(uid) !== pod && pod.inFlight === 0) pod.close();
    });
  }

  #slot(now: number, isOwn: boolean): Slot | undefined {
    const pod = this.#pods.pick(now, this.settings.concurrencyLimit);
    if (pod === undefined) return undefined;
    pod.take(now);
    if (isOwn) this.meter.sent();
    return new LocalSlot(pod, this.#services.clock, this, isOwn);
  }

  /** A slot in the pod is free, that one of its own clients' requests had or another gateway. */
  returned(pod: Pod, isOwn: boolean): void {
    if (isOwn) this.meter.returned();
    pod.inFlight -= 1;
    if (!this.#queue.isEmpty) this.#serveQueue();
  }

  /** After pods changed. */
  #settle(): void {
    const failure = this.failure;
    if (failure === undefined) {
      this.#serveQueue();
    } else {
      this.flush((waiter) => {
        waiter.denied('revision-failed', failureMessage(this.name, failure));
      });
    }
  }

  #serveQueue(): void {
    const now = this.#services.clock.monotonic();
    for (let place = this.#queue.first; place !== undefined; place = this.#queue.first) {
      const slot = this.#slot(now, !place.isGuest);
      if (slot === undefined) break;
      this.#queue.leave(place);
      place.waiter.granted(slot);
    }
    this.#wakeWhenRested();
  }

  /** If requests wait while a pod with room rests, looks again when it has rested. */
  #wakeWhenRested(): void {
    this.#stopWaking();
    if (this.#queue.isEmpty) return;
    const now = this.#services.clock.monotonic();
    const next = this.#pods.availableAt(now, this.settings.concurrencyLimit);
    if (next === Number.POSITIVE_INFINITY) return;
    this.#cancelWake = this.#services.clock.after(Math.max(1, next - now), () => {
      this.#cancelWake = undefined;
      this.#serveQueue();
    });
  }

  #stopWaking(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
  }
}

/** For the client: the cause as the operator found it. */
export function failureMessage(revision: string, { reason, message }: Failure): string {
  return `Revision ${revision} cannot start: ${reason}: ${message}`;
}
