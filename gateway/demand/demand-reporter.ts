/** Tells every connected operator what the gateway measures: all of it at first, then changes each second, and at once what cannot wait. */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import { repeat } from '../repeat.ts';
import { DemandLedger } from './demand-ledger.ts';

const HEARTBEAT_MILLISECONDS = 1_000;

/**
 * Between two records that cannot wait. Each names every revision that has requests: one for each of a thousand functions that wake in a second would
 * name half a million of them altogether, to each operator.
 */
const REST_MILLISECONDS = 10;

export type DemandReader = (record: DemandRecord) => void;

export class DemandReporter {
  readonly ledger: DemandLedger;
  readonly #clock: Clock;
  readonly #known: () => readonly Announcement[];
  readonly #keys: () => readonly string[];
  readonly #readers = new Set<DemandReader>();
  readonly #cancelHeartbeat: Cancel;
  /** Since the last record. */
  #announced: Announcement[] = [];
  #isDue = false;
  #cancelRest: Cancel | undefined;

  /** `known` gives all pods that are known by announcement, `keys` the ids of the keys that their tokens are checked with. */
  constructor(bootId: string, clock: Clock, known: () => readonly Announcement[], keys: () => readonly string[]) {
    this.#clock = clock;
    this.#known = known;
    this.#keys = keys;
    this.ledger = new DemandLedger(bootId, clock.monotonic(), () => {
      this.#reportSoon();
    });
    this.#cancelHeartbeat = repeat(clock, HEARTBEAT_MILLISECONDS, () => {
      this.#report();
    });
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** Begins with a full record, before it returns. */
  subscribe(reader: DemandReader): Cancel {
    reader({ ...this.ledger.full(this.#clock.monotonic(), this.#known()), keys: this.#keys() });
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  /** Passes on what a pod said. */
  announce(announcement: Announcement): void {
    this.#announced.push(announcement);
    this.#reportSoon();
  }

  close(): void {
    this.#cancelHeartbeat();
    this.#cancelRest?.();
    this.#readers.clear();
  }

  #reportSoon(): void {
    this.#isDue = true;
    if (this.#cancelRest !== undefined) return;
    this.#report();
    this.#cancelRest = this.#clock.after(REST_MILLISECONDS, () => {
      this.#cancelRest = undefined;
      if (this.#isDue) this.#reportSoon();
    });
  }

  #report(): void {
    const announcements = this.#announced;
    this.#announced = [];
    this.#isDue = false;
    if (this.#readers.size === 0) return;
    const record = { ...this.ledger.changes(this.#clock.monotonic(), announcements), keys: this.#keys() };
    for (const reader of this.#readers) reader(record);
  }
}
