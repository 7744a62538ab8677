/**
 * Walks a trace of requests through the real autoscaler, in virtual time: the decisions are made by `decide` on the windows of the real demand ledger, and
 * pods are chosen by `planPods`. Simulated are the gateway, the pods and the clock alone. Pure.
 */
import type { ModelFunctionSpec } from '../../common/api/kinds.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { createAutoscaler, type Autoscaler } from '../autoscaler/autoscaler.ts';
import { decide as decideReally, type Decide } from '../autoscaler/decide.ts';
import type { ScalableRevision, ScalingDecision } from '../autoscaler/scalable.ts';
import { scalingSettings } from '../autoscaler/scaling-settings.ts';
import { DemandLedger } from '../gateways/demand-ledger.ts';
import { planPods, sparePods } from '../pods/plan-pods.ts';
import { EventClock } from './event-clock.ts';
import { SimulatedGateway, type GatewayOptions } from './simulated-gateway.ts';
import { SimulatedPod } from './simulated-pod.ts';
import type { Arrival, RequestRecord } from './simulated-request.ts';

export interface SimulationInput {
  /** With its defaults. */
  readonly spec: ModelFunctionSpec;
  /** In the order of their times. */
  readonly arrivals: readonly Arrival[];
  /** From a pod's creation until it is ready. The function ran before, so the autoscaler has learned it. */
  readonly startSeconds: number;
  /** Requests that a pod runs at once, each as fast as alone. */
  readonly slots: number;
  /** How long to go on after the last arrival, at most; it ends sooner when everything is at rest. */
  readonly restSeconds?: number;
  /** Another way to decide, to compare with. */
  readonly decide?: Decide;
}

/** What there is at a moment, each second. */
export interface Moment {
  readonly at: number;
  readonly ready: number;
  readonly starting: number;
  readonly desired: number;
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

export interface SimulationResult {
  /** In the order in which they ended. */
  readonly requests: readonly RequestRecord[];
  readonly moments: readonly Moment[];
  /** Those that changed something. */
  readonly decisions: readonly DecisionRecord[];
  /** Pods that were made, those that never became ready included. */
  readonly podsStarted: number;
  readonly podSeconds: number;
}

const NAMESPACE = 'default';
const REVISION = 'simulated-00001';
const KEY = `${NAMESPACE}/${REVISION}`;
/** A pod that was busy when it should go is asked again after this, as by the operator. */
const DRAIN_RETRY_MILLISECONDS = 1000;

/** Throws only if `decide` does. */
export function simulate(input: SimulationInput): SimulationResult {
  return new Simulation(input).run();
}

class Simulation {
  readonly #input: SimulationInput;
  readonly #clock = new EventClock();
  readonly #ledger = new DemandLedger(0);
  readonly #autoscaler: Autoscaler;
  readonly #gateway: SimulatedGateway;
  #pods: readonly SimulatedPod[] = [];
  #readySince: number | undefined;
  #wokenAt: number | undefined;
  #drainPlanned = false;
  #podSeconds = 0;
  #countedAt = 0;
  #podsStarted = 0;
  #nextArrival = 0;
  readonly #requests: RequestRecord[] = [];
  readonly #moments: Moment[] = [];
  readonly #decisions: DecisionRecord[] = [];

  constructor(input: SimulationInput) {
    this.#input = input;
    const { spec, decide = decideReally } = input;
    this.#autoscaler = createAutoscaler({
      clock: this.#clock,
      ledger: this.#ledger,
      scalable: (key) => (key === KEY ? this.#scalable() : undefined),
      onDecision: (_key, decision) => {
        this.#wokenAt = decision.wokenAt;
        this.#decisions.push({ at: this.#seconds, decision });
        this.#clock.after(0, () => {
          this.#reconcile();
        });
      },
      logger: createLogger('simulation', 'silent'),
      decide,
    });
    this.#gateway = new SimulatedGateway({
      clock: this.#clock,
      namespace: NAMESPACE,
      revision: REVISION,
      limits: spec,
      pods: () => this.#readyPods(),
      report: (record) => {
        this.#ledger.record('gateway', record, this.#seconds);
      },
      ended: (record) => this.#requests.push(record),
    });
  }

  get #seconds(): number {
    return this.#clock.monotonic() / 1000;
  }

  run(): SimulationResult {
    const { arrivals, restSeconds = this.#longestRest() } = this.#input;
    const lastArrival = arrivals.at(-1)?.at ?? 0;
    this.#autoscaler.poke(KEY);
    this.#arriveNext();
    this.#look();
    const end = (lastArrival + restSeconds) * 1000;
    while (this.#clock.step(end)) if (this.#seconds > lastArrival + 2 && this.#isAtRest()) break;
    this.#count();
    this.#autoscaler.close();
    return {
      requests: this.#requests,
      moments: this.#moments,
      decisions: this.#decisions,
      podsStarted: this.#podsStarted,
      podSeconds: this.#podSeconds,
    };
  }

  #arriveNext(): void {
    const arrival = this.#input.arrivals[this.#nextArrival++];
    if (arrival === undefined) return;
    this.#clock.after(arrival.at * 1000 - this.#clock.monotonic(), () => {
      this.#gateway.arrive(arrival);
      this.#arriveNext();
    });
  }

  #reconcile(): void {
    const desired = this.#autoscaler.decision(KEY)?.desired ?? 0;
    const plan = planPods({
      revision: REVISION,
      pods: this.#pods.map(({ observed }) => observed),
      takenNames: new Set(),
      desired,
      maxUnschedulable: this.#input.spec.scaling.maxUnschedulable,
    });
    this.#count();
    const leaving = new Set(plan.remove.map(({ name }) => name));
    const idle = plan.drain.filter(({ name }) => this.#pods.find(({ state }) => state.name === name)?.inFlight === 0);
    for (const { name } of idle.slice(0, plan.drainCount)) leaving.add(name);
    this.#pods = this.#pods.filter(({ state }) => !leaving.has(state.name));
    for (const name of plan.create) this.#create(name);
    if (!this.#pods.some(({ isReady }) => isReady)) this.#readySince = undefined;
    if (idle.length < plan.drainCount) this.#drainAgain();
    if (leaving.size > 0 || plan.create.length > 0) this.#autoscaler.poke(KEY);
  }

  #create(name: string): void {
    const pod = new SimulatedPod(this.#clock, name, this.#input.slots);
    this.#podsStarted += 1;
    this.#pods = [...this.#pods, pod];
    this.#clock.after(this.#input.startSeconds * 1000, () => {
      if (!this.#pods.includes(pod)) return;
      pod.isReady = true;
      this.#readySince ??= this.#clock.now();
      this.#gateway.dispatch();
      this.#autoscaler.poke(KEY);
    });
  }

  #drainAgain(): void {
    if (this.#drainPlanned) return;
    this.#drainPlanned = true;
    this.#clock.after(DRAIN_RETRY_MILLISECONDS, () => {
      this.#drainPlanned = false;
      this.#reconcile();
    });
  }

  /** Adds up what pods have cost until now. */
  #count(): void {
    const now = this.#seconds;
    this.#podSeconds += this.#pods.length * (now - this.#countedAt);
    this.#countedAt = now;
  }

  #look(): void {
    this.#count();
    const { queued, inFlight } = this.#gateway;
    const ready = this.#pods.filter(({ isReady }) => isReady);
    const running = ready.reduce((sum, pod) => sum + Math.min(pod.inFlight, this.#input.slots), 0);
    this.#moments.push({
      at: this.#seconds,
      ready: ready.length,
      starting: this.#pods.length - ready.length,
      desired: this.#autoscaler.decision(KEY)?.desired ?? 0,
      waiting: queued + inFlight - running,
      running,
      podSeconds: this.#podSeconds,
    });
    this.#clock.after(1000, () => {
      this.#look();
    });
  }

  #scalable(): ScalableRevision {
    const { spec } = this.#input;
    const ready = this.#pods.filter(({ isReady }) => isReady).length;
    return {
      namespace: NAMESPACE,
      revision: REVISION,
      scaling: scalingSettings(spec),
      reachable: true,
      readyReplicas: ready,
      startingReplicas: this.#pods.length - ready,
      proven: true,
      wokenAt: this.#wokenAt,
      readySince: this.#readySince,
      startSeconds: this.#input.startSeconds,
      patienceSeconds: Math.min(spec.queue.timeoutSeconds, spec.timeoutSeconds),
    };
  }

  #readyPods(): ReturnType<GatewayOptions['pods']> {
    const ready = this.#pods.filter(({ isReady }) => isReady);
    const desired = this.#autoscaler.decision(KEY)?.desired ?? 0;
    if (ready.length <= desired) return { staying: ready, spare: [] };
    const names = new Set(
      sparePods(
        ready.map(({ observed }) => observed),
        desired,
      ).map(({ name }) => name),
    );
    return {
      staying: ready.filter(({ state }) => !names.has(state.name)),
      spare: ready.filter(({ state }) => names.has(state.name)),
    };
  }

  #isAtRest(): boolean {
    const { minReplicas } = this.#input.spec.scaling;
    const present = this.#gateway.queued + this.#gateway.inFlight;
    const desired = this.#autoscaler.decision(KEY)?.desired ?? 0;
    return present === 0 && desired <= minReplicas && this.#pods.length === desired;
  }

  /** What waits is served or given up within the timeouts, and pods go after the windows. */
  #longestRest(): number {
    const { scaling, queue, timeoutSeconds } = this.#input.spec;
    const { stableWindowSeconds, scaleToZeroRetentionSeconds, scaleDownDelaySeconds, startTimeoutSeconds } = scaling;
    const windows = 4 * stableWindowSeconds + scaleToZeroRetentionSeconds + scaleDownDelaySeconds;
    return windows + startTimeoutSeconds + queue.timeoutSeconds + timeoutSeconds + this.#input.startSeconds;
  }
}
