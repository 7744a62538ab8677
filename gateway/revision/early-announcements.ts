/**
 * Announcements for revisions that routes do not know yet: a pod can be faster than the routes that its creation causes. Each is kept for a while,
 * within bounds, and handed out when its revision appears.
 */
import type { Announcement } from '../../common/wire/announcement.ts';

const KEPT_MILLISECONDS = 60_000;
const MOST = 1_000;

interface Kept {
  readonly announcement: Announcement;
  readonly until: number;
}

export class EarlyAnnouncements {
  /** By what a token proves, so that one pod has one, whatever uids it gives itself; insertion order is that of time. */
  readonly #kept = new Map<string, Kept>();

  keep(announcement: Announcement, now: number): void {
    const key = keyOf(announcement);
    this.#kept.delete(key);
    this.#kept.set(key, { announcement, until: now + KEPT_MILLISECONDS });
    for (const [oldest, { until }] of this.#kept) {
      if (until > now && this.#kept.size <= MOST) break;
      this.#kept.delete(oldest);
    }
  }

  /** Those of one revision; they are not kept any longer. */
  take(namespace: string, revision: string, now: number): Announcement[] {
    const taken = this.all(now).filter((one) => one.namespace === namespace && one.revision === revision);
    for (const announcement of taken) this.#kept.delete(keyOf(announcement));
    return taken;
  }

  all(now: number): Announcement[] {
    return [...this.#kept.values()].filter(({ until }) => until > now).map(({ announcement }) => announcement);
  }
}

function keyOf({ namespace, revision, pod }: Announcement): string {
  return `${namespace}/${revision}/${pod}`;
}
