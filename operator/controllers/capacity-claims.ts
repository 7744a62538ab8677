/** What revisions ask of the budgets: says to `Capacity` what one wants and has, as its object, its pods and the memory of it have it. */
import { findCondition } from '../../common/api/conditions.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Needs } from '../capacity/budget.ts';
import type { Capacity, Want } from '../capacity/capacity.ts';
import { isLost } from '../pods/lost-pod.ts';
import type { Observed } from './observed.ts';
import { isProven } from './plan-revisions.ts';
import type { RevisionSubject } from './revision-subject.ts';

export interface CapacityClaimsOptions {
  readonly capacity: Capacity;
  readonly observed: Observed;
  readonly clock: Clock;
}

export class CapacityClaims {
  readonly #options: CapacityClaimsOptions;

  constructor(options: CapacityClaimsOptions) {
    this.#options = options;
  }

  /** It needs something of which there is not enough for all. */
  isBounded(subject: RevisionSubject): boolean {
    return this.#needs(subject) !== undefined;
  }

  /** Gives how many of the desired replicas it may have. */
  claim(subject: RevisionSubject, desired: number): number {
    const needs = this.#needs(subject);
    if (needs === undefined) return desired;
    return this.#options.capacity.claim(subject.key, this.#want(subject, needs, desired)).granted;
  }

  /** It will claim as much: so that it stands in line before the first is granted anything. */
  expect(subject: RevisionSubject, desired: number): void {
    const needs = this.#needs(subject);
    if (needs !== undefined) this.#options.capacity.expect(subject.key, this.#want(subject, needs, desired));
  }

  /** What was granted has been carried out, so far as it can be now: these are its pods afterwards. */
  settled(subject: RevisionSubject): void {
    this.#options.capacity.settled(subject.key, this.#countPods(subject));
  }

  /** An operator that has just begun does not know yet of what its predecessor told to wait. */
  roomSince({ key, revision }: RevisionSubject): number | undefined {
    const { capacity } = this.#options;
    if (capacity.allocation(key) !== undefined) return capacity.roomSince(key);
    const { reason } = findCondition(revision.status?.conditions, 'PodsHealthy') ?? {};
    return reason === 'WaitingForCapacity' ? Infinity : undefined;
  }

  #needs({ revision: { metadata, spec } }: RevisionSubject): Needs | undefined {
    return this.#options.capacity.needs(metadata.namespace ?? '', [spec.resolved.resources.limits]);
  }

  #want(subject: RevisionSubject, needs: Needs, desired: number): Want {
    const { revision, view, memory } = subject;
    const counted = this.#countPods(subject);
    // Until its next start is due, somebody else can have what it would need.
    const isBarred = memory.history.retryAt > this.#options.clock.now();
    return {
      namespace: revision.metadata.namespace ?? '',
      priority: view.function.spec.scaling.priority,
      needs,
      wanted: isBarred ? Math.min(desired, counted.living) : desired,
      ...counted,
      proven: isProven(revision),
      wokenAt: memory.wokenAt,
    };
  }

  #countPods({ revision: { metadata }, pods }: RevisionSubject): Pick<Want, 'living' | 'terminating'> {
    const { observed, clock } = this.#options;
    const living = pods.filter(({ phase }) => phase === 'Starting' || phase === 'Ready').length;
    const all = observed.podsOf(metadata.namespace ?? '', metadata.name);
    const lost = all.filter((pod) => isLost(pod, clock.now())).length;
    return { living, terminating: Math.max(0, pods.length - living - lost) };
  }
}
