import type { Clock } from '../../common/platform/clock.ts';
import type { ModelFunctionSpec } from '../../common/api/kinds.ts';
import { LABELS } from '../../common/api/names.ts';
import type { Needs } from '../capacity/budget.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { Pod } from '../cluster/resources.ts';
import { planPods, sparePods } from '../pods/plan-pods.ts';
import { SimulatedPod } from './simulated-pod.ts';

export interface PodsOptions {
  readonly clock: Clock;
  readonly capacity: Capacity;
  readonly namespace: string;
  readonly revision: string;
  readonly spec: ModelFunctionSpec;
  readonly startSeconds: number;
  readonly slots: number;
  /** As the autoscaler wants it now. */
  readonly desired: () => number;
  readonly wokenAt: () => number | undefined;
  /** A pod became ready. */
  readonly onReady: () => void;
  /** Pods came or went, or are ready. */
  readonly onChange: () => void;
}

/** A pod that was busy when it should go is asked again after this, as by the operator. */
const DRAIN_RETRY_MILLISECONDS = 1000;

/** The pods of a revision, which come and go as the autoscaler wants and the budgets allow. */
export class SimulatedPods {
  readonly #options: PodsOptions;
  readonly #key: string;
  readonly #needs: Needs | undefined;
  #pods: readonly SimulatedPod[] = [];
  #readySince: number | undefined;
  #drainPlanned = false;
  #seconds = 0;
  #countedAt = 0;
  #started = 0;

  constructor(options: PodsOptions) {
    const { namespace, revision, spec, capacity } = options;
    this.#options = options;
    this.#key = `${namespace}/${revision}`;
    this.#needs = capacity.needs(namespace, [spec.resources?.limits]);
  }

  get all(): readonly SimulatedPod[] {
    return this.#pods;
  }

  get ready(): readonly SimulatedPod[] {
    return this.#pods.filter(({ isReady }) => isReady);
  }

  /** Since when there has been a ready one, in milliseconds. */
  get readySince(): number | undefined {
    return this.#readySince;
  }

  /** Pods that were made. */
  get started(): number {
    return this.#started;
  }

  /** What they have cost until now, in seconds of one pod. */
  get seconds(): number {
    this.#count();
    return this.#seconds;
  }

  /** How many there may be of those that are desired. */
  get granted(): number {
    const { capacity, desired } = this.#options;
    const wanted = desired();
    return Math.min(wanted, capacity.allocation(this.#key)?.granted ?? wanted);
  }

  /** Desired ones for which no budget has room. What was decided a moment ago and is yet to be claimed lacks nothing. */
  get missing(): number {
    const { capacity, desired } = this.#options;
    return capacity.allocation(this.#key)?.waiting === undefined ? 0 : desired() - this.granted;
  }

  /** Those that the gateway is to use first, and those that are to go. */
  split(): { readonly staying: readonly SimulatedPod[]; readonly spare: readonly SimulatedPod[] } {
    const { ready, granted } = this;
    if (ready.length <= granted) return { staying: ready, spare: [] };
    const observed = ready.map((pod) => pod.observed);
    const names = new Set(sparePods(observed, granted).map(({ name }) => name));
    return {
      staying: ready.filter(({ state }) => !names.has(state.name)),
      spare: ready.filter(({ state }) => names.has(state.name)),
    };
  }

  /** Brings them to the number that is granted, as far as that goes now. */
  reconcile(): void {
    const { revision, spec, onChange } = this.#options;
    const plan = planPods({
      revision,
      pods: this.#pods.map(({ observed }) => observed),
      takenNames: new Set(),
      desired: this.#claim(),
      maxUnschedulable: spec.scaling.maxUnschedulable,
    });
    const leaving = new Set(plan.remove.map(({ name }) => name));
    const idle = plan.drain.filter(({ name }) => this.#pods.find(({ state }) => state.name === name)?.inFlight === 0);
    for (const { name } of idle.slice(0, plan.drainCount)) leaving.add(name);
    this.#change(this.#pods.filter(({ state }) => !leaving.has(state.name)));
    for (const name of plan.create) this.#create(name);
    this.#settle(leaving);
    if (idle.length < plan.drainCount) this.#drainAgain();
    if (leaving.size > 0 || plan.create.length > 0) onChange();
  }

  /** Gives how many there may be. */
  #claim(): number {
    const { capacity, namespace, spec, desired, wokenAt } = this.#options;
    if (this.#needs === undefined) return desired();
    return capacity.claim(this.#key, {
      namespace,
      priority: spec.scaling.priority,
      needs: this.#needs,
      wanted: desired(),
      living: this.#pods.length,
      terminating: 0,
      proven: true,
      wokenAt: wokenAt(),
    }).granted;
  }

  #settle(gone: ReadonlySet<string>): void {
    if (this.#needs === undefined) return;
    const { capacity } = this.#options;
    for (const name of gone) capacity.gone(this.#objectOf(name));
    capacity.settled(this.#key, { living: this.#pods.length, terminating: 0 });
  }

  #change(pods: readonly SimulatedPod[]): void {
    this.#count();
    this.#pods = pods;
    if (this.ready.length === 0) this.#readySince = undefined;
  }

  /** Adds up what they have cost while they were so many. */
  #count(): void {
    const now = this.#options.clock.monotonic() / 1000;
    this.#seconds += this.#pods.length * (now - this.#countedAt);
    this.#countedAt = now;
  }

  #create(name: string): void {
    const { clock, capacity, slots, startSeconds, onReady, onChange } = this.#options;
    const pod = new SimulatedPod(clock, name, slots);
    this.#started += 1;
    this.#change([...this.#pods, pod]);
    capacity.see(this.#objectOf(name));
    clock.after(startSeconds * 1000, () => {
      if (!this.#pods.includes(pod)) return;
      pod.isReady = true;
      this.#readySince ??= clock.now();
      onReady();
      onChange();
    });
  }

  /** As far as budgets look at it. */
  #objectOf(name: string): Pod {
    const { namespace, revision, spec } = this.#options;
    const limits = Object.entries(spec.resources?.limits ?? {}).map(([resource, amount]) => [resource, String(amount)]);
    const resources = { limits: Object.fromEntries(limits) as Record<string, string> };
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, labels: { [LABELS.revision]: revision } },
      spec: { containers: [{ name: 'runtime', image: '', resources }] },
    };
  }

  #drainAgain(): void {
    if (this.#drainPlanned) return;
    this.#drainPlanned = true;
    this.#options.clock.after(DRAIN_RETRY_MILLISECONDS, () => {
      this.#drainPlanned = false;
      this.reconcile();
    });
  }
}
