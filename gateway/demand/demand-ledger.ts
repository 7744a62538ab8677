/** Keeps every revision's meter and makes the records that operators read. When a record is due is decided here, where it goes is not. */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import { RevisionMeter, type MeterListener } from './revision-meter.ts';

/** A revision whose requests find nobody one by one asks for an extra record at most this often; the heartbeat tells the rest. */
const AWAKENING_MILLISECONDS = 100;

/**
 * Meters outlive their revisions: totals may never go back within one boot, also if a function is deleted and made anew with the same name.
 * Beyond this many (about 5 MB) the oldest that are at rest are forgotten.
 */
const MOST_METERS = 20_000;

export class DemandLedger implements MeterListener {
  readonly bootId: string;
  readonly #startedAt: number;
  readonly #onAwakening: () => void;
  readonly #meters = new Map<string, RevisionMeter>();
  readonly #changed = new Set<RevisionMeter>();
  #sequence = 0;

  /** `onAwakening` is called when a record should be sent at once. */
  constructor(bootId: string, startedAt: number, onAwakening: () => void) {
    this.bootId = bootId;
    this.#startedAt = startedAt;
    this.#onAwakening = onAwakening;
  }

  meter(namespace: string, revision: string): RevisionMeter {
    const key = `${namespace}/${revision}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = new RevisionMeter(namespace, revision, this);
      this.#meters.set(key, meter);
      if (this.#meters.size > MOST_METERS) this.#forget();
    }
    return meter;
  }

  changed(meter: RevisionMeter): void {
    meter.isChanged = true;
    this.#changed.add(meter);
  }

  awoke(meter: RevisionMeter, now: number): void {
    if (now - meter.awokeAt < AWAKENING_MILLISECONDS) return;
    meter.awokeAt = now;
    this.#onAwakening();
  }

  /** Everything, for an operator that has just connected. */
  full(now: number, announcements: readonly Announcement[]): DemandRecord {
    const meters = [...this.#meters.values()].filter((meter) => meter.requests > 0);
    return this.#record(true, now, meters, announcements);
  }

  /** What changed since the last such record. A meter with requests present changes all the time. */
  changes(now: number, announcements: readonly Announcement[]): DemandRecord {
    const record = this.#record(false, now, [...this.#changed], announcements);
    for (const meter of this.#changed) {
      if (meter.present > 0) continue;
      meter.isChanged = false;
      this.#changed.delete(meter);
    }
    return record;
  }

  #record(
    full: boolean,
    now: number,
    meters: readonly RevisionMeter[],
    announcements: readonly Announcement[],
  ): DemandRecord {
    this.#sequence += 1;
    return {
      type: 'demand',
      bootId: this.bootId,
      sequence: this.#sequence,
      uptimeSeconds: (now - this.#startedAt) / 1_000,
      full,
      revisions: meters.map((meter) => meter.read(now)),
      announcements,
    };
  }

  #forget(): void {
    for (const [key, meter] of this.#meters) {
      if (this.#meters.size <= MOST_METERS) return;
      if (meter.present === 0 && !meter.isChanged) this.#meters.delete(key);
    }
  }
}
