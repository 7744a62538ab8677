/** Measures the demand for one revision exactly: each request counts from its arrival to its end, queued or not, with no sampling. */
import type { RevisionDemand } from '../../common/wire/demand.ts';

export interface MeterListener {
  /** Its totals moved for the first time since the last record. */
  changed(meter: RevisionMeter): void;
  /** It has requests, and nobody serves any of them. */
  awoke(meter: RevisionMeter, now: number): void;
}

export class RevisionMeter {
  readonly namespace: string;
  readonly revision: string;
  /** Kept by the listener: true while it has the meter on its list. */
  isChanged = false;
  /** Kept by the listener: when it last told of an awakening. */
  awokeAt = Number.NEGATIVE_INFINITY;
  readonly #listener: MeterListener;
  #requests = 0;
  #present = 0;
  #sent = 0;
  #requestMilliseconds = 0;
  /** Up to when the integral is complete. */
  #at = 0;

  constructor(namespace: string, revision: string, listener: MeterListener) {
    this.namespace = namespace;
    this.revision = revision;
    this.#listener = listener;
  }

  get present(): number {
    return this.#present;
  }

  get inFlight(): number {
    return this.#sent;
  }

  get queued(): number {
    return this.#present - this.#sent;
  }

  get requests(): number {
    return this.#requests;
  }

  /** `now` is of the monotonic clock, in milliseconds, as everywhere here. */
  arrive(now: number): void {
    this.#integrate(now);
    this.#present += 1;
    this.#requests += 1;
    if (!this.isChanged) this.#listener.changed(this);
  }

  leave(now: number): void {
    this.#integrate(now);
    this.#present -= 1;
    if (!this.isChanged) this.#listener.changed(this);
  }

  /** Operators should hear of it before the next heartbeat. */
  wake(now: number): void {
    this.#listener.awoke(this, now);
  }

  /** A pod has a request of those present. */
  sent(): void {
    this.#sent += 1;
  }

  /** A pod is done with one, or failed it. */
  returned(): void {
    this.#sent -= 1;
  }

  read(now: number): RevisionDemand {
    this.#integrate(now);
    return {
      namespace: this.namespace,
      revision: this.revision,
      requestSeconds: this.#requestMilliseconds / 1_000,
      requests: this.#requests,
      inFlight: this.#sent,
      queued: this.queued,
    };
  }

  #integrate(now: number): void {
    this.#requestMilliseconds += this.#present * (now - this.#at);
    this.#at = now;
  }
}
