/** The pods of one revision, as routes list them and as they announce themselves, and which of them gets the next request. */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { PodRoute } from '../../common/wire/routes.ts';
import type { BarredPods } from './barred-pods.ts';
import { Pod, sameAddress } from './pod.ts';
import type { ConnectPod } from './pod-connection.ts';
import { pickPod } from './pod-picker.ts';

/** An announced pod that the leading operator has not listed within this time does not exist. */
const UNLISTED_MILLISECONDS = 30_000;

/** Of the thousand functions that have no pod each would have an empty list of its own. */
const NONE: readonly Pod[] = [];

export interface PodsServices {
  readonly random: () => number;
  readonly connect: ConnectPod;
  readonly barred: BarredPods;
}

export class Pods {
  readonly #services: PodsServices;
  #known: Map<string, Pod> | undefined;
  /** Those that may get requests: an array, because two are drawn from it for each request. */
  #ready: readonly Pod[] = NONE;
  /** Those of them that are to stay. */
  #staying: readonly Pod[] = NONE;

  constructor(services: PodsServices) {
    this.#services = services;
  }

  /** None may get requests. */
  get areNone(): boolean {
    return this.#ready.length === 0;
  }

  get announcements(): Announcement[] {
    return this.#all().flatMap(({ announcement }) => announcement ?? []);
  }

  get(uid: string): Pod | undefined {
    return this.#known?.get(uid);
  }

  /** One that has room, as far as is known here. */
  pick(now: number, limit: number): Pod | undefined {
    const { random } = this.#services;
    const pod = pickPod(this.#staying, now, limit, random);
    if (pod !== undefined) return pod;
    return this.#staying.length === this.#ready.length
      ? this.#pickSpared(now, limit)
      : (pickPod(this.#ready, now, limit, random) ?? this.#pickSpared(now, limit));
  }

  /** When the first one has rested, or has more room, though nothing is answered before; infinite if never. */
  availableAt(now: number, limit: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const pod of this.#ready) next = Math.min(next, pod.availableAt(now, limit));
    return next;
  }

  /** Takes what routes say. Pods that they listed before and do not now are gone. */
  update(routes: readonly PodRoute[], now: number): void {
    const listed = new Set<string>();
    for (const { uid, name, state, spare = false, ...address } of routes) {
      listed.add(uid);
      const pod = this.#known?.get(uid) ?? this.#add(new Pod(uid, name, address, this.#services.connect));
      if (pod.listed === undefined || !sameAddress(pod.listed, address)) pod.moveTo(address);
      pod.listed = address;
      pod.terminating = state === 'Terminating';
      pod.spare = spare;
      pod.renew();
      if (!pod.terminating) this.#services.barred.lift(uid);
    }
    for (const pod of this.#all()) {
      if (pod.listed !== undefined && !listed.has(pod.uid)) this.#remove(pod, now);
    }
    this.#settle();
  }

  /**
   * A pod says that it is ready. `gone`: it is known to be gone or going. Its token proves its name alone, so it may not speak for a uid that another
   * name has, nor from another host than routes list, and of the uids that only itself speaks for it has the last: any number of them would cost a
   * connection each. `not-ready`: routes list another pod of the name, which goes before this one can be.
   */
  announce(announcement: Announcement, now: number): 'accepted' | 'gone' | 'forbidden' | 'not-ready' {
    const { uid, pod: name } = announcement;
    const known = this.#known?.get(uid);
    if (known !== undefined && known.name !== name) return 'forbidden';
    // A pod keeps its address for life; only its ports change, when it starts again in place.
    if (known?.listed !== undefined && known.listed.host !== announcement.host) return 'forbidden';
    if (known?.terminating === true || this.#services.barred.isBarred(uid, now)) return 'gone';
    const others = this.#all().filter((other) => other !== known && other.name === name);
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

  /** Lets announced pods go that the leader, streaming since `leaderSince`, does not list. True if there were any. */
  expireUnlisted(now: number, leaderSince: number): boolean {
    let some = false;
    for (const pod of this.#all()) {
      if (pod.listed !== undefined || Math.max(pod.announcedAt, leaderSince) + UNLISTED_MILLISECONDS > now) continue;
      this.#remove(pod, now);
      some = true;
    }
    if (some) this.#settle();
    return some;
  }

  /** The revision is gone. */
  drop(now: number): void {
    for (const pod of this.#all()) this.#remove(pod, now);
    this.#ready = NONE;
    this.#staying = NONE;
  }

  /** For the end of the process. */
  close(): void {
    for (const pod of this.#all()) pod.close();
  }

  /** One that answers with errors alone, where there are no others: an error tells more than a wait. */
  #pickSpared(now: number, limit: number): Pod | undefined {
    if (!this.#ready.every((pod) => pod.isSpared(now))) return undefined;
    return this.#ready.find((pod) => pod.isAvailableThoughSpared(now, limit));
  }

  #add(pod: Pod): Pod {
    (this.#known ??= new Map<string, Pod>()).set(pod.uid, pod);
    return pod;
  }

  #remove(pod: Pod, now: number): void {
    this.#known?.delete(pod.uid);
    this.#services.barred.bar(pod.uid, now);
    pod.close();
  }

  #all(): Pod[] {
    return this.#known === undefined ? [] : [...this.#known.values()];
  }

  #settle(): void {
    if (this.#known === undefined) return;
    this.#ready = this.#all().filter(({ terminating }) => !terminating);
    this.#staying = this.#ready.filter(({ spare }) => !spare);
  }
}
