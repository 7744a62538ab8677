import type { ModelFunctionSpec } from '../../common/api/kinds.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { Autoscaler } from '../autoscaler/autoscaler.ts';
import type { ScalableRevision, ScalingDecision } from '../autoscaler/scalable.ts';
import { scalingSettings } from '../autoscaler/scaling-settings.ts';
import type { Capacity } from '../capacity/capacity.ts';
import { SimulatedGateway } from './simulated-gateway.ts';
import { SimulatedPods } from './simulated-pods.ts';
import type { Arrival, RequestRecord } from './simulated-request.ts';

export interface FunctionInput {
  readonly namespace: string;
  readonly name: string;
  /** With its defaults. */
  readonly spec: ModelFunctionSpec;
  /** In the order of their times. */
  readonly arrivals: readonly Arrival[];
  /** From a pod's creation until it is ready. The function ran before, so the autoscaler has learned it. */
  readonly startSeconds: number;
  /** Requests that a pod runs at once, each as fast as alone. */
  readonly slots: number;
}

/** What there is at a moment, each second. */
export interface Moment {
  readonly at: number;
  readonly ready: number;
  readonly starting: number;
  readonly desired: number;
  /** Of those, pods for which no budget has room. */
  readonly missing: number;
  /** Requests that no pod runs yet, whether the gateway holds them or a pod has them in its own queue. */
  readonly waiting: number;
  readonly running: number;
  /** Of all pods together, since the begin. */
  readonly podSeconds: number;
}

export interface DecisionRecord {
  readonly at: number;
  readonly decision: ScalingDecision;
}

export interface FunctionResult {
  /** In the order in which they ended. */
  readonly requests: readonly RequestRecord[];
  readonly moments: readonly Moment[];
  /** Those that changed something. */
  readonly decisions: readonly DecisionRecord[];
  /** Pods that were made, those that never became ready included. */
  readonly podsStarted: number;
  readonly podSeconds: number;
}

/** What all functions of a simulation share. */
export interface Platform {
  readonly clock: Clock;
  readonly autoscaler: Pick<Autoscaler, 'poke' | 'decision'>;
  readonly capacity: Capacity;
  /** Of the function's gateway. */
  readonly report: (record: DemandRecord) => void;
}

/** A function with one revision: its requests, its gateway and its pods, and what became of them. */
export class SimulatedFunction {
  readonly key: string;
  readonly #input: FunctionInput;
  readonly #platform: Platform;
  readonly #revision: string;
  readonly #gateway: SimulatedGateway;
  readonly #pods: SimulatedPods;
  #wokenAt: number | undefined;
  #nextArrival = 0;
  readonly #requests: RequestRecord[] = [];
  readonly #moments: Moment[] = [];
  readonly #decisions: DecisionRecord[] = [];

  constructor(input: FunctionInput, platform: Platform) {
    const { namespace, name, spec, startSeconds, slots } = input;
    const { clock, autoscaler, capacity, report } = platform;
    const revision = `${name}-00001`;
    this.key = `${namespace}/${revision}`;
    this.#input = input;
    this.#platform = platform;
    this.#revision = revision;
    this.#pods = new SimulatedPods({
      clock,
      capacity,
      namespace,
      revision,
      spec,
      startSeconds,
      slots,
      desired: () => this.#desired,
      wokenAt: () => this.#wokenAt,
      onReady: () => this.#gateway.dispatch(),
      onChange: () => autoscaler.poke(this.key),
    });
    this.#gateway = new SimulatedGateway({
      clock,
      namespace,
      revision,
      report,
      limits: spec,
      pods: () => this.#pods.split(),
      ended: (record) => this.#requests.push(record),
    });
    this.#arriveNext();
  }

  get result(): FunctionResult {
    return {
      requests: this.#requests,
      moments: this.#moments,
      decisions: this.#decisions,
      podsStarted: this.#pods.started,
      podSeconds: this.#pods.seconds,
    };
  }

  /** It has no requests, and the pods that stay in any case are ready, as far as budgets have room for them. */
  get isAtRest(): boolean {
    const { all, ready, granted } = this.#pods;
    const present = this.#gateway.queued + this.#gateway.inFlight;
    const isSettled = all.length === granted && ready.length === granted;
    return present === 0 && isSettled && this.#desired <= this.#input.spec.scaling.minReplicas;
  }

  decided(decision: ScalingDecision): void {
    const { clock } = this.#platform;
    this.#wokenAt = decision.wokenAt;
    this.#decisions.push({ at: clock.monotonic() / 1000, decision });
    this.reconcileSoon();
  }

  /** What it may have has changed. */
  reconcileSoon(): void {
    this.#platform.clock.after(0, () => {
      this.#pods.reconcile();
    });
  }

  /** Notes what there is now. */
  look(): void {
    const { all, ready, missing, seconds } = this.#pods;
    const { queued, inFlight } = this.#gateway;
    const running = ready.reduce((sum, pod) => sum + Math.min(pod.inFlight, this.#input.slots), 0);
    this.#moments.push({
      at: this.#platform.clock.monotonic() / 1000,
      ready: ready.length,
      starting: all.length - ready.length,
      desired: this.#desired,
      missing,
      waiting: queued + inFlight - running,
      running,
      podSeconds: seconds,
    });
  }

  /** For the autoscaler. */
  scalable(): ScalableRevision {
    const { capacity } = this.#platform;
    const { spec, namespace, startSeconds } = this.#input;
    const { all, ready, readySince } = this.#pods;
    return {
      namespace,
      revision: this.#revision,
      scaling: scalingSettings(spec),
      reachable: true,
      readyReplicas: ready.length,
      startingReplicas: all.length - ready.length,
      proven: true,
      wokenAt: this.#wokenAt,
      roomSince: capacity.roomSince(this.key),
      readySince,
      startSeconds,
      patienceSeconds: Math.min(spec.queue.timeoutSeconds, spec.timeoutSeconds),
    };
  }

  get #desired(): number {
    return this.#platform.autoscaler.decision(this.key)?.desired ?? 0;
  }

  #arriveNext(): void {
    const { clock } = this.#platform;
    const arrival = this.#input.arrivals[this.#nextArrival++];
    if (arrival === undefined) return;
    clock.after(arrival.at * 1000 - clock.monotonic(), () => {
      this.#gateway.arrive(arrival);
      this.#arriveNext();
    });
  }
}
