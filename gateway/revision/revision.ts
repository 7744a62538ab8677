/** One model revision in the data plane: its pods, the requests that wait for them, and what it may take. */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { RevisionRoute } from '../../common/wire/routes.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { RevisionMeter } from '../demand/revision-meter.ts';
import { NO_METRICS, type RevisionMetrics } from '../metrics.ts';
import type { BarredPods } from './barred-pods.ts';
import { HoldQueue, type Place, type QueueExcess, type QueueLimits } from './hold-queue.ts';
import type { Holdings } from './holdings.ts';
import { Pod, sameAddress } from './pod.ts';
import type { ConnectPod } from './pod-connection.ts';
import { retryAfter } from './retry-after.ts';
import { pickPod } from './pod-picker.ts';

/** An announced pod that the leading operator has not listed within this time does not exist. */
const UNLISTED_MILLISECONDS = 30_000;

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
  granted(pod: Pod): void;
  denied(code: GatewayErrorCode, message: string): void;
  /** The revision is gone; perhaps the function has another one. */
  displaced(): void;
}

export interface RevisionServices {
  readonly clock: Clock;
  readonly random: () => number;
  readonly connect: ConnectPod;
  readonly barred: BarredPods;
  readonly holdings: Holdings;
}

export type Failure = NonNullable<RevisionRoute['failure']>;

export class Revision {
  readonly namespace: string;
  readonly name: string;
  readonly meter: RevisionMeter;
  metrics: RevisionMetrics;
  settings: RevisionSettings;
  readonly #services: RevisionServices;
  readonly #queue: HoldQueue<Waiter>;
  readonly #pods = new Map<string, Pod>();
  /** Those that may get requests: an array, because two are drawn from it for each request. */
  #ready: readonly Pod[] = [];
  /** Those of them that are to stay. */
  #staying: readonly Pod[] = [];
  #failure: Failure | undefined;
  #startSeconds: number | undefined;
  #cancelWake: Cancel | undefined;
  #isDropped = false;

  constructor(
    namespace: string,
    name: string,
    settings: RevisionSettings,
    meter: RevisionMeter,
    metrics: RevisionMetrics,
    services: RevisionServices,
  ) {
    this.namespace = namespace;
    this.name = name;
    this.settings = settings;
    this.meter = meter;
    this.metrics = metrics;
    this.#services = services;
    this.#queue = new HoldQueue(services.holdings);
  }

  get queued(): number {
    return this.#queue.length;
  }

  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** No pod at all: a request that arrives now is a cold start. */
  get isCold(): boolean {
    return this.#ready.length === 0;
  }

  /** A request that arrives now has to wait, as far as can be said without looking at each pod. */
  get isBehind(): boolean {
    return this.#queue.length > 0 || this.#ready.length === 0;
  }

  /** Routes do not have it any more. */
  get isDropped(): boolean {
    return this.#isDropped;
  }

  /** Why a request cannot be served, if that is known; a failed revision serves on as long as it has pods. */
  get failure(): Failure | undefined {
    return this.#ready.length === 0 ? this.#failure : undefined;
  }

  get announcements(): Announcement[] {
    return [...this.#pods.values()].flatMap(({ announcement }) => announcement ?? []);
  }

  /** A slot in a pod, or undefined if there is none or others wait for one. Give it back with `release`. */
  acquire(now: number): Pod | undefined {
    return this.#queue.length > 0 ? undefined : this.acquireFirst(now);
  }

  /** A slot in a pod, before those who wait. */
  acquireFirst(now: number): Pod | undefined {
    const pod =
      this.#pick(this.#staying, now) ??
      (this.#staying.length < this.#ready.length ? this.#pick(this.#ready, now) : undefined);
    if (pod === undefined) return undefined;
    pod.take(now);
    this.meter.sent();
    return pod;
  }

  release(pod: Pod): void {
    pod.inFlight -= 1;
    this.meter.returned();
    if (this.#queue.length > 0) this.#serveQueue();
  }

  /** What the queue has too much of for one more request with so many bytes. */
  excess(bytes: number): QueueExcess | undefined {
    return this.#queue.excess(bytes, this.settings.queue);
  }

  /** Seconds after which a request that was denied with this code, having waited so many milliseconds, is worth sending again. */
  retryAfter(code: GatewayErrorCode, waited: number): number {
    const oldest = this.#queue.since;
    const milliseconds = oldest === undefined ? waited : Math.max(waited, this.#services.clock.monotonic() - oldest);
    const { isCold } = this;
    return retryAfter(code, { startSeconds: this.#startSeconds, isCold, waitedSeconds: milliseconds / 1_000 });
  }

  /** Ask `excess` first. `again`: a pod refused it, so it goes before all others. */
  hold(waiter: Waiter, bytes: number, again: boolean): Place<Waiter> {
    const now = this.#services.clock.monotonic();
    const place = again ? this.#queue.enterFirst(waiter, bytes, now) : this.#queue.enter(waiter, bytes, now);
    if (again || this.#queue.length === 1) this.#wakeWhenRested();
    return place;
  }

  /** More of the body of a request that waits is in memory; false if that is enough. */
  grow(place: Place<Waiter>, bytes: number): boolean {
    return this.#queue.grow(place, bytes, this.settings.queue);
  }

  /** The client left, or its time in the queue is over. */
  leave(place: Place<Waiter>): void {
    this.#queue.leave(place);
  }

  /** Takes what routes say. Pods that they listed before and do not now are gone. */
  update(route: RevisionRoute, settings: RevisionSettings): void {
    const now = this.#services.clock.monotonic();
    this.settings = settings;
    this.#failure = route.failure;
    this.#startSeconds = route.startSeconds;
    const listed = new Set<string>();
    for (const { uid, name, state, spare = false, ...address } of route.pods) {
      listed.add(uid);
      const pod = this.#pods.get(uid) ?? this.#add(new Pod(uid, name, address, this.#services.connect));
      if (pod.listed === undefined || !sameAddress(pod.listed, address)) pod.moveTo(address);
      pod.listed = address;
      pod.terminating = state === 'Terminating';
      pod.spare = spare;
      pod.renew();
      if (!pod.terminating) this.#services.barred.lift(uid);
    }
    for (const pod of this.#pods.values()) {
      if (pod.listed !== undefined && !listed.has(pod.uid)) this.#remove(pod, now);
    }
    this.#settle();
  }

  /**
   * A pod says that it is ready. `gone`: it is known to be gone or going. Its token proves its name alone, so it may not speak for a uid that another
   * name has, nor from another host than routes list, and of the uids that only itself speaks for it has the last: any number of them would cost a
   * connection each. `not-ready`: routes list another pod of the name, which goes before this one can be.
   */
  announce(announcement: Announcement): 'accepted' | 'gone' | 'forbidden' | 'not-ready' {
    const { uid, pod: name } = announcement;
    const now = this.#services.clock.monotonic();
    const known = this.#pods.get(uid);
    if (known !== undefined && known.name !== name) return 'forbidden';
    // A pod keeps its address for life; only its ports change, when it starts again in place.
    if (known?.listed !== undefined && known.listed.host !== announcement.host) return 'forbidden';
    if (known?.terminating === true || this.#services.barred.isBarred(uid, now)) return 'gone';
    const others = [...this.#pods.values()].filter((other) => other !== known && other.name === name);
    if (others.some(({ listed, terminating }) => listed !== undefined && !terminating)) return 'not-ready';
    for (const other of others) {
      if (other.listed === undefined) this.#remove(other, now);
    }
    const pod = known ?? this.#add(new Pod(uid, name, announcement, this.#services.connect));
    pod.moveTo(announcement);
    pod.announcement = announcement;
    pod.announcedAt = now;
    pod.renew();
    this.#settle();
    return 'accepted';
  }

  /** Lets announced pods go that the leader, streaming since `leaderSince`, does not list. */
  expireUnlisted(now: number, leaderSince: number): void {
    for (const pod of this.#pods.values()) {
      if (pod.listed !== undefined || Math.max(pod.announcedAt, leaderSince) + UNLISTED_MILLISECONDS > now) continue;
      this.#remove(pod, now);
      this.#settle();
    }
  }

  /** The revision is gone; requests that pods have run to their end. */
  drop(): void {
    const now = this.#services.clock.monotonic();
    this.#isDropped = true;
    this.metrics = NO_METRICS;
    for (const pod of this.#pods.values()) this.#remove(pod, now);
    this.#ready = [];
    this.#staying = [];
    this.flush((waiter) => {
      waiter.displaced();
    });
  }

  /** Empties the queue. */
  flush(dismiss: (waiter: Waiter) => void): void {
    // Only those that wait now: a dismissed request could come straight back.
    for (let left = this.#queue.length; left > 0; left -= 1) {
      const waiter = this.#queue.shift();
      if (waiter !== undefined) dismiss(waiter);
    }
    this.#stopWaking();
  }

  /** Ends everything of its own; for the end of the process. */
  close(): void {
    this.#stopWaking();
    for (const pod of this.#pods.values()) pod.close();
  }

  #pick(pods: readonly Pod[], now: number): Pod | undefined {
    return pickPod(pods, now, this.settings.concurrencyLimit, this.#services.random);
  }

  #add(pod: Pod): Pod {
    this.#pods.set(pod.uid, pod);
    return pod;
  }

  #remove(pod: Pod, now: number): void {
    this.#pods.delete(pod.uid);
    this.#services.barred.bar(pod.uid, now);
    pod.close();
  }

  /** After pods changed. */
  #settle(): void {
    this.#ready = [...this.#pods.values()].filter(({ terminating }) => !terminating);
    this.#staying = this.#ready.filter(({ spare }) => !spare);
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
    while (this.#queue.length > 0) {
      const pod = this.acquireFirst(now);
      if (pod === undefined) break;
      this.#queue.shift()?.granted(pod);
    }
    this.#wakeWhenRested();
  }

  /** If requests wait while a pod with room rests, looks again when it has rested. */
  #wakeWhenRested(): void {
    this.#stopWaking();
    if (this.#queue.length === 0) return;
    let next = Number.POSITIVE_INFINITY;
    for (const pod of this.#ready) {
      if (pod.hasRoom(this.settings.concurrencyLimit)) next = Math.min(next, pod.restUntil);
    }
    if (next === Number.POSITIVE_INFINITY) return;
    this.#cancelWake = this.#services.clock.after(Math.max(1, next - this.#services.clock.monotonic()), () => {
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
