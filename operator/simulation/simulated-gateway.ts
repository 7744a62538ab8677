import type { Clock } from '../../common/platform/clock.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { Arrival, Outcome, RequestRecord } from './simulated-request.ts';
import type { SimulatedPod } from './simulated-pod.ts';

/** What the gateway is told of the function. */
export interface GatewayLimits {
  readonly concurrencyLimit: number;
  readonly timeoutSeconds: number;
  readonly queue: { readonly maxRequests: number; readonly timeoutSeconds: number };
}

export interface GatewayOptions {
  readonly clock: Clock;
  readonly namespace: string;
  readonly revision: string;
  readonly limits: GatewayLimits;
  /** Ready ones; those that are more than wanted get requests only while no other has room. */
  readonly pods: () => { readonly staying: readonly SimulatedPod[]; readonly spare: readonly SimulatedPod[] };
  readonly report: (record: DemandRecord) => void;
  readonly ended: (record: RequestRecord) => void;
}

interface Held {
  readonly arrival: Arrival;
  /** When it came, in milliseconds. */
  readonly since: number;
}

/** As the real one: a revision whose requests find nobody one by one asks for an extra record at most this often. */
const AWAKENING_MILLISECONDS = 100;

/**
 * One gateway for one revision: holds requests in their order while no pod has room, gives each to the pod with the least in flight, and reports what it
 * measures as the real one does: each second, and at once the first request that no pod serves.
 */
export class SimulatedGateway {
  readonly #options: GatewayOptions;
  readonly #queue: Held[] = [];
  #inFlight = 0;
  #requests = 0;
  #requestMilliseconds = 0;
  #integratedAt = 0;
  #sequence = 0;
  #awokeAt = Number.NEGATIVE_INFINITY;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#beat();
  }

  get queued(): number {
    return this.#queue.length;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  arrive(arrival: Arrival): void {
    const { clock, limits } = this.#options;
    this.#integrate();
    this.#requests += 1;
    this.#queue.push({ arrival, since: clock.monotonic() });
    this.dispatch();
    if (this.#queue.length > limits.queue.maxRequests) this.#dismiss(this.#queue.pop(), 'QueueFull');
    if (this.#queue.length === 1 && this.#inFlight === 0) this.#awake();
  }

  /** Gives out what waits, as far as pods have room. For when a pod is ready; a request that ends does it itself. */
  dispatch(): void {
    this.#dropLate();
    for (let pod = this.#pick(); pod !== undefined && this.#queue.length > 0; pod = this.#pick()) {
      const held = this.#queue.shift();
      if (held !== undefined) this.#send(held.arrival, pod);
    }
  }

  #send(arrival: Arrival, pod: SimulatedPod): void {
    const { clock, limits } = this.#options;
    const sentAt = clock.monotonic();
    let begunAt: number | undefined;
    this.#integrate();
    this.#inFlight += 1;
    pod.take({
      serviceSeconds: arrival.serviceSeconds,
      begun: () => {
        begunAt = clock.monotonic() / 1000;
      },
      done: () => {
        this.#integrate();
        this.#inFlight -= 1;
        const latest = sentAt / 1000 + limits.timeoutSeconds;
        const now = clock.monotonic() / 1000;
        this.#end(arrival, begunAt, Math.min(now, latest), now > latest ? 'TimedOut' : 'Answered');
        // The pod takes the next of its own first.
        clock.after(0, () => {
          this.dispatch();
        });
      },
    });
  }

  #pick(): SimulatedPod | undefined {
    const { staying, spare } = this.#options.pods();
    return this.#leastInFlight(staying) ?? this.#leastInFlight(spare);
  }

  #leastInFlight(pods: readonly SimulatedPod[]): SimulatedPod | undefined {
    const { limits } = this.#options;
    let least: SimulatedPod | undefined;
    for (const pod of pods) {
      if (limits.concurrencyLimit > 0 && pod.inFlight >= limits.concurrencyLimit) continue;
      if (least === undefined || pod.inFlight < least.inFlight) least = pod;
    }
    return least;
  }

  #dropLate(): void {
    const { clock, limits } = this.#options;
    const oldest = clock.monotonic() - limits.queue.timeoutSeconds * 1000;
    while (this.#queue[0] !== undefined && this.#queue[0].since <= oldest) {
      this.#dismiss(this.#queue.shift(), 'NoPodInTime');
    }
  }

  #dismiss(held: Held | undefined, outcome: Outcome): void {
    if (held === undefined) return;
    this.#integrate();
    const waited = outcome === 'NoPodInTime' ? this.#options.limits.queue.timeoutSeconds : 0;
    this.#end(held.arrival, undefined, held.since / 1000 + waited, outcome);
  }

  #end(arrival: Arrival, begunAt: number | undefined, endedAt: number, outcome: Outcome): void {
    this.#options.ended({ ...arrival, begunAt, endedAt, outcome });
  }

  #awake(): void {
    const now = this.#options.clock.monotonic();
    if (now - this.#awokeAt < AWAKENING_MILLISECONDS) return;
    this.#awokeAt = now;
    // Those of the same moment are counted with it, as the real one's record is sent after it has read what came.
    this.#options.clock.after(0, () => {
      this.#report(false);
    });
  }

  #beat(): void {
    this.dispatch();
    this.#report(this.#sequence === 0);
    this.#options.clock.after(1000, () => {
      this.#beat();
    });
  }

  #report(full: boolean): void {
    const { clock, namespace, revision, report } = this.#options;
    this.#integrate();
    report({
      type: 'demand',
      bootId: 'simulated',
      sequence: ++this.#sequence,
      uptimeSeconds: clock.monotonic() / 1000,
      full,
      revisions: [
        {
          namespace,
          revision,
          requestSeconds: this.#requestMilliseconds / 1000,
          requests: this.#requests,
          inFlight: this.#inFlight,
          queued: this.#queue.length,
        },
      ],
      announcements: [],
    });
  }

  #integrate(): void {
    const now = this.#options.clock.monotonic();
    this.#requestMilliseconds += (this.#queue.length + this.#inFlight) * (now - this.#integratedAt);
    this.#integratedAt = now;
  }
}
