import type { DemandRecord, RevisionDemand } from '../../common/wire/demand.ts';
import type { RevisionKey } from '../autoscaler/scalable.ts';

/**
 * One gateway process's totals, differentiated: each record becomes request-seconds over a stretch of the operator's time. It knows one boot only
 * and no seconds; the ledger adds gateways up and cuts time into seconds. Times are seconds of the operator's monotonic clock unless called uptime.
 */
export interface DemandEffects {
  /** So much came about from `from` to `to`, evenly as far as anyone knows; negative when an assumption is taken back. */
  spread(key: RevisionKey, from: number, to: number, added: Added): void;
  /** What is in the gateway now changed by so much. */
  present(key: RevisionKey, inFlight: number, queued: number): void;
}

/** What a stretch of time added to a revision's totals. */
export interface Added {
  readonly requestSeconds: number;
  readonly requests: number;
}

interface RevisionTotals {
  requestSeconds: number;
  requests: number;
  inFlight: number;
  queued: number;
  /** Average concurrency, and arrivals a second, in the stretch before the last record. */
  rate: number;
  arrivalRate: number;
}

/**
 * How fast the distance of the two clocks may grow, in seconds a second. Clocks drift by 0.0001 at most; more than this is a delay of the network,
 * which must not move the demand to a later time.
 */
const MOST_DRIFT = 0.001;

/**
 * No process holds more requests than this at once. A total that grew faster is a lie, and sums of such numbers would leave errors in the windows
 * that look like demand for ever.
 */
const MOST_CONCURRENCY = 1_000_000;
/** Nor does it take more in a second; a record can come at once with the first requests of many, so less than a second counts as one. */
const MOST_REQUESTS_PER_SECOND = 1_000_000;

/** A gateway forgets revisions at rest long before it knows so many. */
const MOST_REVISIONS = 100_000;

type Present = Pick<RevisionTotals, 'inFlight' | 'queued'>;
type Rates = Pick<RevisionTotals, 'rate' | 'arrivalRate'>;
const NOTHING: Present = { inFlight: 0, queued: 0 };
const NO_RATES: Rates = { rate: 0, arrivalRate: 0 };

export class GatewayDemand {
  readonly bootId: string;
  /** When the last accepted record came. */
  heardAt: number;
  /** Until when demand is accounted for. */
  cursor: number;
  readonly #revisions = new Map<RevisionKey, RevisionTotals>();
  /** Revisions with demand in the last record: the only ones that a heartbeat without them changes. */
  readonly #busy = new Set<RevisionKey>();
  #sequence: number;
  #uptime: number;
  /** Operator's time minus uptime, at the smallest delay seen. */
  #offset: number;
  #heldUntil: number | undefined;

  /**
   * Begins with a boot's first record. One that booted after `watchingSince` has all its demand accounted from its boot on; the totals of an older one
   * are where counting begins, for nobody knows when they came about.
   */
  constructor(record: DemandRecord, now: number, watchingSince: number, effects: DemandEffects) {
    const bootedAt = now - record.uptimeSeconds;
    const watched = bootedAt >= watchingSince;
    this.bootId = record.bootId;
    this.heardAt = now;
    this.cursor = watched ? bootedAt : now;
    this.#sequence = record.sequence;
    this.#uptime = watched ? 0 : record.uptimeSeconds;
    this.#offset = bootedAt;
    if (!watched) for (const demand of record.revisions) this.#begin(demand);
    this.#account(record, now, effects);
  }

  get busy(): ReadonlySet<RevisionKey> {
    return this.#busy;
  }

  /** Takes a later record of the same boot; false if it is not newer than the last one. Throws, taking nothing, if too many revisions were named. */
  take(record: DemandRecord, now: number, effects: DemandEffects): boolean {
    if (record.sequence <= this.#sequence) return false;
    if (!record.full && this.#revisions.size + record.revisions.length > MOST_REVISIONS) {
      throw new Error(
        `A gateway named more than ${MOST_REVISIONS} revisions; a full record must name those that are left.`,
      );
    }
    this.#takeBack(effects);
    const distance = now - record.uptimeSeconds;
    const drifted = this.#offset + MOST_DRIFT * Math.max(0, record.uptimeSeconds - this.#uptime);
    // A full record begins a stream and is sent as it is made, so it shows the distance anew; a clock that stood still is corrected there.
    this.#offset = record.full ? distance : Math.min(drifted, distance);
    this.#sequence = record.sequence;
    this.heardAt = now;
    this.#account(record, now, effects);
    return true;
  }

  /** Assumes that what it had goes on until `until`, while it is silent. */
  hold(until: number, effects: DemandEffects): void {
    const from = this.#heldUntil ?? this.cursor;
    if (until <= from) return;
    for (const key of this.#busy) effects.spread(key, from, until, this.#held(key, until - from));
    this.#heldUntil = until;
  }

  /** Takes back what was assumed, and what was in it: the process is gone or cannot be believed to serve any more. */
  end(effects: DemandEffects): void {
    this.#takeBack(effects);
    for (const key of this.#busy) {
      const totals = this.#revisions.get(key);
      if (totals !== undefined) this.#update(key, totals, NOTHING, NO_RATES, effects);
    }
  }

  #account(record: DemandRecord, now: number, effects: DemandEffects): void {
    const to = Math.min(now, Math.max(this.cursor, record.uptimeSeconds + this.#offset));
    const elapsed = Math.max(0, record.uptimeSeconds - this.#uptime);
    const silent = new Set(this.#busy);
    for (const demand of record.revisions) {
      const key = `${demand.namespace}/${demand.revision}`;
      silent.delete(key);
      const totals = this.#totals(demand);
      const added = {
        requestSeconds: Math.min(grown(totals.requestSeconds, demand.requestSeconds), MOST_CONCURRENCY * elapsed),
        requests: Math.min(grown(totals.requests, demand.requests), MOST_REQUESTS_PER_SECOND * Math.max(1, elapsed)),
      };
      totals.requestSeconds = demand.requestSeconds;
      totals.requests = demand.requests;
      effects.spread(key, this.cursor, to, added);
      const rates =
        elapsed > 0 ? { rate: added.requestSeconds / elapsed, arrivalRate: added.requests / elapsed } : NO_RATES;
      this.#update(key, totals, demand, rates, effects);
    }
    for (const key of silent) {
      const totals = this.#revisions.get(key);
      if (totals === undefined) continue;
      this.#update(key, totals, record.full ? NOTHING : totals, NO_RATES, effects);
    }
    if (record.full) this.#forgetAllBut(record.revisions);
    this.cursor = to;
    this.#uptime = record.uptimeSeconds;
  }

  #update(
    key: RevisionKey,
    totals: RevisionTotals,
    { inFlight, queued }: Present,
    { rate, arrivalRate }: Rates,
    effects: DemandEffects,
  ): void {
    if (inFlight !== totals.inFlight || queued !== totals.queued) {
      effects.present(key, inFlight - totals.inFlight, queued - totals.queued);
    }
    totals.inFlight = inFlight;
    totals.queued = queued;
    totals.rate = rate;
    totals.arrivalRate = arrivalRate;
    if (inFlight + queued + rate > 0) this.#busy.add(key);
    else this.#busy.delete(key);
  }

  #takeBack(effects: DemandEffects): void {
    if (this.#heldUntil === undefined) return;
    const seconds = this.#heldUntil - this.cursor;
    for (const key of this.#busy) effects.spread(key, this.cursor, this.#heldUntil, this.#held(key, -seconds));
    this.#heldUntil = undefined;
  }

  /**
   * What so many seconds of silence are assumed to add. Of concurrency it is the larger of what was in it at the end and its last average: short requests
   * show in the one, a queue that just came in the other.
   */
  #held(key: RevisionKey, seconds: number): Added {
    const totals = this.#revisions.get(key);
    if (totals === undefined) return { requestSeconds: 0, requests: 0 };
    const concurrency = Math.max(totals.rate, totals.inFlight + totals.queued);
    return { requestSeconds: concurrency * seconds, requests: totals.arrivalRate * seconds };
  }

  #begin(demand: RevisionDemand): void {
    const totals = this.#totals(demand);
    totals.requestSeconds = demand.requestSeconds;
    totals.requests = demand.requests;
  }

  #totals({ namespace, revision }: RevisionDemand): RevisionTotals {
    const key = `${namespace}/${revision}`;
    let totals = this.#revisions.get(key);
    if (totals === undefined) {
      totals = { requestSeconds: 0, requests: 0, inFlight: 0, queued: 0, rate: 0, arrivalRate: 0 };
      this.#revisions.set(key, totals);
    }
    return totals;
  }

  #forgetAllBut(revisions: readonly RevisionDemand[]): void {
    if (revisions.length === this.#revisions.size) return;
    const named = new Set(revisions.map(({ namespace, revision }) => `${namespace}/${revision}`));
    for (const key of this.#revisions.keys()) if (!named.has(key)) this.#revisions.delete(key);
  }
}

/** A total that shrank was forgotten and counts anew from zero. */
function grown(before: number, now: number): number {
  return now < before ? now : now - before;
}
