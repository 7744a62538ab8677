import type { DemandRecord } from '../../common/wire/demand.ts';
import type { DemandNow } from '../autoscaler/adjustments/adjustment.ts';
import type { DemandListener, DemandSource } from '../autoscaler/demand-source.ts';
import type { RevisionKey } from '../autoscaler/scalable.ts';
import { GatewayDemand, type DemandEffects } from './gateway-demand.ts';
import { HORIZON_SECONDS, spread } from './spread.ts';

/** A gateway sends a heartbeat each second; after three that are missing it is silent. */
export const SILENCE_SECONDS = 3;

interface Sample {
  concurrency: number;
  requests: number;
}

/**
 * Demand of all gateways together, from their records: samples by second, and what is in them now. No record, in whatever order, late, twice or
 * lost, makes demand count twice or get lost, because records hold totals. Pure: it is told the time, in seconds of the operator's monotonic clock.
 */
export class DemandLedger implements DemandSource {
  readonly #watchingSince: number;
  readonly #gateways = new Map<string, GatewayDemand>();
  /** Before the first record, gateways may have anything. */
  #heard = false;
  /** Gateways that are gone if they are silent. */
  readonly #doubtful = new Set<string>();
  /** Gateways that ended, by when: their totals are kept as long as a record of theirs could still count. */
  readonly #endedAt = new Map<string, number>();
  readonly #present = new Map<RevisionKey, { inFlight: number; queued: number }>();
  /** Revisions that a silent gateway had demand for. */
  readonly #unknown = new Set<RevisionKey>();
  /** Samples of seconds that are not over in every gateway yet. */
  readonly #unsettled = new Map<number, Map<RevisionKey, Sample>>();
  #settled = -1;
  #appeared: RevisionKey[] = [];
  #listener: DemandListener | undefined;
  readonly #effects: DemandEffects = {
    spread: (key, from, to, { requestSeconds, requests }) => {
      spread(from, to, requestSeconds, (second, concurrency) => this.#add(key, second, concurrency, 0));
      spread(from, to, requests, (second, arrivals) => this.#add(key, second, 0, arrivals));
    },
    present: (key, inFlight, queued) => this.#change(key, inFlight, queued),
  };

  constructor(now: number) {
    this.#watchingSince = now;
  }

  listen(listener: DemandListener): void {
    this.#listener = listener;
  }

  /** Takes a record that has just come from the gateway; one that is not newer than the last of its boot is ignored. */
  record(gateway: string, record: DemandRecord, now: number): void {
    this.#heard = true;
    const known = this.#gateways.get(gateway);
    if (known?.bootId === record.bootId) {
      if (known.take(record, now, this.#effects)) this.#endedAt.delete(gateway);
    } else {
      known?.end(this.#effects);
      this.#gateways.set(gateway, new GatewayDemand(record, now, this.#watchingSince, this.#effects));
      this.#endedAt.delete(gateway);
    }
    this.#announceAppeared();
  }

  /**
   * Whether the API has something to say against the gateway: its pod is not ready, or is being deleted. That is all that is ever heard of one whose
   * node is lost, for its object stays until somebody removes the node. Alone it means nothing: one that ends has requests still, and reports them.
   */
  doubt(gateway: string, doubtful: boolean): void {
    if (doubtful) this.#doubtful.add(gateway);
    else this.#doubtful.delete(gateway);
  }

  /** The gateway's pod is deleted or ended: what it had is no demand any more. */
  gatewayGone(gateway: string, now: number): void {
    this.#doubtful.delete(gateway);
    const known = this.#gateways.get(gateway);
    if (known !== undefined && !this.#endedAt.has(gateway)) this.#end(gateway, known, now);
  }

  settle(now: number): number | undefined {
    for (const [gateway, endedAt] of this.#endedAt) {
      if (now - endedAt <= HORIZON_SECONDS) continue;
      this.#endedAt.delete(gateway);
      this.#gateways.delete(gateway);
    }
    const silent: GatewayDemand[] = [];
    let heardUntil = Infinity;
    for (const [id, gateway] of this.#gateways) {
      if (this.#endedAt.has(id)) continue;
      if (now - gateway.heardAt > SILENCE_SECONDS) {
        if (this.#doubtful.has(id)) this.#end(id, gateway, now);
        else if (gateway.busy.size > 0) silent.push(gateway);
      } else heardUntil = Math.min(heardUntil, gateway.cursor);
    }
    this.#unknown.clear();
    for (const gateway of silent) for (const key of gateway.busy) this.#unknown.add(key);
    if (heardUntil === Infinity && silent.length === 0) return undefined;

    const end = Math.max(this.#settled + 1, Math.floor(Math.min(heardUntil, now)));
    for (const gateway of silent) gateway.hold(end, this.#effects);
    this.#flush(end - 1);
    return this.#settled;
  }

  demandOf(key: RevisionKey): DemandNow {
    const present = this.#present.get(key);
    return {
      inFlight: present?.inFlight ?? 0,
      queued: present?.queued ?? 0,
      unknown: !this.#heard || this.#unknown.has(key),
    };
  }

  #end(id: string, gateway: GatewayDemand, now: number): void {
    gateway.end(this.#effects);
    this.#endedAt.set(id, now);
  }

  #add(key: RevisionKey, second: number, concurrency: number, requests: number): void {
    if (second <= this.#settled) return this.#listener?.sample(key, second, concurrency, requests);
    let samples = this.#unsettled.get(second);
    if (samples === undefined) this.#unsettled.set(second, (samples = new Map<RevisionKey, Sample>()));
    const sample = samples.get(key);
    if (sample === undefined) {
      samples.set(key, { concurrency, requests });
    } else {
      sample.concurrency += concurrency;
      sample.requests += requests;
    }
  }

  #flush(last: number): void {
    this.#settled = last;
    const over = [...this.#unsettled.keys()].filter((second) => second <= last).sort((a, b) => a - b);
    for (const second of over) {
      const samples = this.#unsettled.get(second);
      this.#unsettled.delete(second);
      for (const [key, { concurrency, requests }] of samples ?? []) {
        this.#listener?.sample(key, second, concurrency, requests);
      }
    }
  }

  #change(key: RevisionKey, inFlight: number, queued: number): void {
    const present = this.#present.get(key) ?? { inFlight: 0, queued: 0 };
    const before = present.inFlight + present.queued;
    present.inFlight += inFlight;
    present.queued += queued;
    if (present.inFlight + present.queued === 0) this.#present.delete(key);
    else this.#present.set(key, present);
    if (before === 0) this.#appeared.push(key);
  }

  /** After the whole record is taken, so that a listener that asks back sees all of it. */
  #announceAppeared(): void {
    const keys = this.#appeared;
    if (keys.length === 0) return;
    this.#appeared = [];
    for (const key of keys) if (this.#present.has(key)) this.#listener?.appeared(key);
  }
}
