/**
 * The announcements that gateways relayed, by the pod's uid. One can come before the operator has seen the pod itself, so it is kept for a while without.
 * A gateway checked the token; whether the pod is what it says is checked here.
 */
import type { Announcement } from '../../common/wire/announcement.ts';
import { LABELS } from '../../common/api/names.ts';
import type { Pod } from '../cluster/resources.ts';

/** A watch that is later than this has other troubles. */
const UNKNOWN_MILLISECONDS = 60_000;

/** Announcements of pods that nobody has seen, at most: a broken gateway must not fill the memory. */
const MAX_UNKNOWN = 10_000;

export class AnnouncedPods {
  readonly #byUid = new Map<string, Announcement>();
  /** uid → when it is forgotten, in order. */
  readonly #unknown = new Map<string, number>();
  /** By the pod's name, the last uid under which one that nobody has seen announced itself: one pod's token may fill one place only. */
  readonly #lastUnknown = new Map<string, string>();

  /**
   * True if it is the first of this pod.
   * @param now milliseconds of a clock that never jumps
   */
  add(announcement: Announcement, now: number): boolean {
    this.#forgetUnknown(now);
    const { uid } = announcement;
    const isFirst = !this.#byUid.has(uid);
    if (isFirst) {
      const name = nameOf(announcement);
      const before = this.#lastUnknown.get(name);
      if (before !== undefined) this.delete(before);
      if (this.#unknown.size >= MAX_UNKNOWN) return false;
      this.#unknown.set(uid, now + UNKNOWN_MILLISECONDS);
      this.#lastUnknown.set(name, uid);
    }
    this.#byUid.set(uid, announcement);
    return isFirst;
  }

  /**
   * The pod's announcement; undefined if there is none, or it names another pod or another's address: a token proves which pod speaks, not where it is,
   * and operator and gateways may reach what a pod may not.
   */
  of({ metadata, status }: Pod): Announcement | undefined {
    const announcement = this.#byUid.get(metadata.uid ?? '');
    if (announcement === undefined) return undefined;
    this.#know(announcement);
    const { namespace, pod, revision, host } = announcement;
    const same =
      namespace === metadata.namespace && pod === metadata.name && revision === metadata.labels?.[LABELS.revision];
    // What it announces is its `status.podIP` too, from its environment, but that is in the API up to a second later.
    return same && host === (status?.podIP ?? host) ? announcement : undefined;
  }

  /** The pod is gone. */
  delete(uid: string): void {
    const announcement = this.#byUid.get(uid);
    if (announcement === undefined) return;
    this.#byUid.delete(uid);
    this.#know(announcement);
  }

  /** It does not wait any more for somebody to see its pod. */
  #know(announcement: Announcement): void {
    const { uid } = announcement;
    if (!this.#unknown.delete(uid)) return;
    this.#lastUnknown.delete(nameOf(announcement));
  }

  #forgetUnknown(now: number): void {
    for (const [uid, until] of this.#unknown) {
      if (until > now) return;
      this.delete(uid);
    }
  }
}

function nameOf({ namespace, revision, pod }: Announcement): string {
  return `${namespace}/${revision}/${pod}`;
}
