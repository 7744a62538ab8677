/** Decides whom to believe that it is ready, and lets the requests go that waited for it. */
import type { Announcement } from '../../common/wire/announcement.ts';
import { verifyToken } from '../../common/wire/tokens.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { AnnouncementResult } from '../metrics/control-counters.ts';
import type { BarredPods } from '../revision/barred-pods.ts';
import type { EarlyAnnouncements } from '../revision/early-announcements.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { mayAnnounceHost } from './announced-host.ts';
import type { KeyRing } from './key-ring.ts';

export class AnnouncementIntake {
  readonly #clock: Clock;
  readonly #keys: KeyRing;
  readonly #routes: RouteTable;
  readonly #early: EarlyAnnouncements;
  readonly #barred: BarredPods;
  readonly #relay: (announcement: Announcement) => void;

  constructor(parts: {
    readonly clock: Clock;
    readonly keys: KeyRing;
    readonly routes: RouteTable;
    readonly early: EarlyAnnouncements;
    readonly barred: BarredPods;
    /** Tells the operators. */
    readonly relay: (announcement: Announcement) => void;
  }) {
    this.#clock = parts.clock;
    this.#keys = parts.keys;
    this.#routes = parts.routes;
    this.#early = parts.early;
    this.#barred = parts.barred;
    this.#relay = parts.relay;
  }

  /** When it returns, requests that waited for this pod are on their way. `from` is the address that it came from. */
  take(announcement: Announcement, token: string, from: string | undefined): AnnouncementResult {
    if (this.#keys.keys.length === 0) return 'not-ready';
    if (!verifyToken(this.#keys.keys, token, 'announce', announcement)) return 'forbidden';
    if (!mayAnnounceHost(announcement.host, from)) return 'forbidden';
    const revision = this.#routes.revision(announcement.namespace, announcement.revision);
    if (revision !== undefined) {
      const verdict = revision.announce(announcement);
      if (verdict !== 'accepted') return verdict;
    } else {
      const now = this.#clock.monotonic();
      if (this.#barred.isBarred(announcement.uid, now)) return 'gone';
      this.#early.keep(announcement, now);
    }
    this.#relay(announcement);
    return revision === undefined ? 'kept' : 'accepted';
  }
}
