/**
 * What is held of the budgets, who wants how much, and who has been granted it. It knows every pod that exists, and of revisions those that need a
 * bounded resource and have or want replicas; the others cost nothing.
 */
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Pod } from '../cluster/resources.ts';
import type { Activity } from './activity.ts';
import { allocate, type Allocation, type BudgetInUse, type Claim } from './allocate.ts';
import { bounds, needsOf, type Budget, type Needs } from './budget.ts';
import { PodShares } from './pod-shares.ts';

export interface CapacityOptions {
  readonly budgets: readonly Budget[];
  readonly clock: Clock;
  readonly activityOf: (key: string) => Activity;
  /** What a revision was told has changed, and not by its own claim. */
  readonly onChange: (key: string) => void;
}

/** What a revision wants and has, of what cannot be seen by its pods. */
export interface Want {
  readonly namespace: string;
  readonly priority: number;
  readonly needs: Needs;
  readonly wanted: number;
  readonly living: number;
  readonly terminating: number;
  /** It was ready once: one that was not is no spare that is kept warm. */
  readonly proven: boolean;
  /** When its wanted replicas last left zero, in milliseconds since the epoch. */
  readonly wokenAt: number | undefined;
}

interface Known {
  want: Want;
  /** Living replicas, with those that are being made. */
  committed: number;
  /** Pods of it that were seen when it claimed. */
  seenBefore: number;
  /** When there was room for it at last, in milliseconds since the epoch; Infinity while there is none; undefined if it never waited. */
  roomSince: number | undefined;
  waitingSince: number | undefined;
  allocation: Allocation;
  /** When it was last told its place, in monotonic milliseconds. */
  toldAt: number;
}

export interface BudgetState extends BudgetInUse {
  /** Units that are wanted and not granted. */
  readonly waiting: number;
}

/** While somebody waits: who is idle changes without an event. */
const LOOK_MILLISECONDS = 2000;
/** A place in the line is told no more often, or each grant would write the status of all that wait. */
const TELL_MILLISECONDS = 10_000;

const NOTHING: Allocation = { granted: 0, waiting: undefined };

export class Capacity {
  readonly #options: CapacityOptions;
  readonly #pods = new PodShares();
  readonly #known = new Map<string, Known>();
  #cancelLook: Cancel | undefined;

  constructor(options: CapacityOptions) {
    this.#options = options;
  }

  /** What a pod with these limits needs of what is bounded; undefined if nothing, as always without budgets. */
  needs(
    namespace: string,
    limits: readonly (Readonly<Record<string, number | string>> | undefined)[],
  ): Needs | undefined {
    const { budgets } = this.#options;
    if (budgets.length === 0) return undefined;
    const needs = needsOf(budgets, namespace, limits);
    return Object.keys(needs).length === 0 ? undefined : needs;
  }

  /** A pod exists, or has changed. It holds its share until it is gone. */
  see(pod: Pod): void {
    const { namespace = '' } = pod.metadata;
    const needs = this.needs(
      namespace,
      pod.spec.containers.map(({ resources }) => resources?.limits),
    );
    if (needs !== undefined) this.#pods.see(pod, needs);
  }

  gone(pod: Pod): void {
    if (this.#pods.gone(pod)) this.#allocate(undefined);
  }

  /** Gives what it may have. Until `settled`, what it was granted beyond what lives counts as being made. */
  claim(key: string, want: Want): Allocation {
    if (want.wanted + want.living + want.terminating === 0) {
      this.forget(key);
      return NOTHING;
    }
    const known = this.#remember(key, want);
    this.#allocate(key);
    known.committed = Math.max(want.living, known.allocation.granted);
    return known.allocation;
  }

  /** Wants that are to be known before the first is granted anything. */
  expect(key: string, want: Want): void {
    if (want.wanted + want.living + want.terminating > 0) this.#remember(key, want);
  }

  /** What was granted has been carried out, so far as it can be now. */
  settled(key: string, { living, terminating }: Pick<Want, 'living' | 'terminating'>): void {
    const known = this.#known.get(key);
    if (known === undefined) return;
    // Whoever waits for more has got one, and waits for the next from now on.
    if (living > known.want.living) known.waitingSince = this.#options.clock.now();
    const isLess = living < known.committed;
    known.want = { ...known.want, living, terminating };
    known.committed = living;
    if (isLess) this.#allocate(key);
  }

  /** The latest; undefined for a revision that is not bounded, or at rest. */
  allocation(key: string): Allocation | undefined {
    return this.#known.get(key)?.allocation;
  }

  roomSince(key: string): number | undefined {
    return this.#known.get(key)?.roomSince;
  }

  forget(key: string): void {
    if (this.#known.delete(key)) this.#allocate(key);
  }

  /** Another replica grants from here on; what pods hold is known on. */
  clear(): void {
    this.#known.clear();
    this.#cancelLook?.();
    this.#cancelLook = undefined;
  }

  /** For metrics. */
  state(): BudgetState[] {
    const waiting = [...this.#known.values()].flatMap(({ want, allocation }) =>
      allocation.waiting === undefined ? [] : [{ want, missing: allocation.waiting.missing }],
    );
    return this.#inUse().map((budget) => ({
      ...budget,
      waiting: waiting
        .filter(({ want }) => bounds(budget, want.namespace, want.needs))
        .reduce((sum, { want, missing }) => sum + missing * (want.needs[budget.resource] ?? 0), 0),
    }));
  }

  #remember(key: string, want: Want): Known {
    let known = this.#known.get(key);
    if (known === undefined) {
      const allocation = { granted: Math.min(want.wanted, want.living), waiting: undefined };
      const committed = want.living;
      known = {
        want,
        committed,
        seenBefore: 0,
        roomSince: undefined,
        waitingSince: want.wokenAt,
        allocation,
        toldAt: 0,
      };
      this.#known.set(key, known);
    }
    known.want = want;
    known.committed = want.living;
    known.seenBefore = this.#pods.countOf(key);
    if (want.wanted <= want.living) known.waitingSince = undefined;
    else known.waitingSince ??= this.#options.clock.now();
    return known;
  }

  /** @param by whose claim it is that is looked at, and who learns of the outcome by itself */
  #allocate(by: string | undefined): void {
    const claims = [...this.#known].map(([key, known]) => this.#claimOf(key, known));
    const allocations = allocate(claims, this.#inUse());
    const now = this.#options.clock.monotonic();
    const changed: string[] = [];
    for (const [key, known] of this.#known) {
      const allocation = allocations.get(key);
      if (allocation === undefined) continue;
      const isNews = isOther(known.allocation, allocation);
      if (!isNews && now - known.toldAt < TELL_MILLISECONDS && key !== by) continue;
      const differs = isNews || !isSamePlace(known.allocation, allocation);
      known.allocation = allocation;
      known.roomSince = this.#roomSince(known);
      if (key === by || differs) known.toldAt = now;
      if (key !== by && differs) changed.push(key);
    }
    this.#lookAgain();
    for (const key of changed) this.#options.onChange(key);
  }

  #lookAgain(): void {
    const isWaiting = [...this.#known.values()].some(({ allocation }) => allocation.waiting !== undefined);
    if (!isWaiting) {
      this.#cancelLook?.();
      this.#cancelLook = undefined;
    }
    if (!isWaiting || this.#cancelLook !== undefined) return;
    this.#cancelLook = this.#options.clock.after(LOOK_MILLISECONDS, () => {
      this.#cancelLook = undefined;
      this.#allocate(undefined);
    });
  }

  #claimOf(key: string, { want, committed, waitingSince }: Known): Claim {
    const { requests, isCalled, isSilent } = this.#options.activityOf(key);
    return {
      key,
      namespace: want.namespace,
      priority: want.priority,
      needs: want.needs,
      wanted: want.wanted,
      living: committed,
      terminating: want.terminating,
      busy: Math.min(committed, requests),
      standing: isCalled ? 'Called' : want.proven && isSilent ? 'KeptWarm' : 'Other',
      waitingSince: waitingSince ?? 0,
    };
  }

  /** A start that has no room does not begin, and neither does its time. */
  #roomSince({ allocation, want, roomSince }: Known): number | undefined {
    if (allocation.waiting !== undefined && (allocation.granted === 0 || !want.proven)) return Infinity;
    return roomSince === Infinity ? this.#options.clock.now() : roomSince;
  }

  #inUse(): BudgetInUse[] {
    const { budgets, clock } = this.#options;
    // Those that are being made exist nowhere else.
    const making = [...this.#known]
      .filter(([, { want, committed }]) => committed > want.living)
      .map(([key, { want, committed, seenBefore }]) => {
        const seenSince = Math.max(0, this.#pods.countOf(key) - seenBefore);
        return { ...want, replicas: Math.max(0, committed - want.living - seenSince) };
      });
    return this.#pods.inUse(budgets, making, clock.now());
  }
}

function isOther(before: Allocation, after: Allocation): boolean {
  return before.granted !== after.granted || (before.waiting === undefined) !== (after.waiting === undefined);
}

function isSamePlace({ waiting: a }: Allocation, { waiting: b }: Allocation): boolean {
  return (
    a?.position === b?.position &&
    a?.waiting === b?.waiting &&
    a?.missing === b?.missing &&
    a?.budget.resource === b?.budget.resource &&
    a?.budget.namespace === b?.budget.namespace &&
    a?.budget.held === b?.budget.held
  );
}
