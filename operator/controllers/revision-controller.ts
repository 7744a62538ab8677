/**
 * Makes the pods of a revision be what the autoscaler decided, and says in its status how that goes. Pods come first: the scale subresource and the
 * status only record what was done.
 */
import type { ModelRevision } from '../../common/api/kinds.ts';
import type { Autoscaler } from '../autoscaler/autoscaler.ts';
import type { ScalableRevision, ScalingDecision } from '../autoscaler/scalable.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { AnnouncedPods } from '../pods/announced-pods.ts';
import { deleteOrphans } from '../pods/delete-orphans.ts';
import { isLost, LOST_MILLISECONDS } from '../pods/lost-pod.ts';
import { restoreHistory } from '../pods/start-history.ts';
import type { RevisionPods } from '../routes/build-route.ts';
import { CapacityClaims } from './capacity-claims.ts';
import { viewFunction, type FunctionView } from './function-view.ts';
import { keyOf, parseKey } from '../cluster/object-key.ts';
import {
  dueAgain,
  observePods,
  remember,
  rememberGivenUp,
  routedPods,
  scalableRevision,
  type ObservedPods,
} from './observe-revision.ts';
import type { Observed } from './observed.ts';
import { isProven } from './plan-revisions.ts';
import { newMemory, type RevisionMemory } from './revision-memory.ts';
import { RevisionReports } from './revision-reports.ts';
import type { RevisionSubject } from './revision-subject.ts';
import { scaleRevision, soonest, type ScaleOptions } from './scale-revision.ts';

export interface RevisionControllerOptions extends ScaleOptions {
  readonly observed: Observed;
  readonly announced: AnnouncedPods;
  readonly autoscaler: Pick<Autoscaler, 'poke' | 'decision' | 'forget'>;
  readonly capacity: Capacity;
  readonly events: Pick<EventRecorder, 'record'>;
}

interface Known {
  /** The latest object, for what is left to do when it is gone. */
  revision: ModelRevision;
  readonly memory: RevisionMemory;
}

export class RevisionController {
  readonly #options: RevisionControllerOptions;
  readonly #watchingSince: number;
  readonly #known = new Map<string, Known>();
  readonly #claims: CapacityClaims;
  readonly #reports: RevisionReports;

  constructor(options: RevisionControllerOptions) {
    this.#options = options;
    this.#claims = new CapacityClaims(options);
    this.#reports = new RevisionReports(options);
    this.#watchingSince = options.clock.now();
  }

  /** Gives the milliseconds after which to look again. */
  async reconcile(key: string): Promise<number | undefined> {
    const { clock, autoscaler, observed, metrics } = this.#options;
    const { namespace, name } = parseKey(key);
    if (observed.revision(namespace, name) === undefined) return this.#abandon(key);
    const subject = this.#subject(key);
    if (subject === undefined) return undefined;

    const { memory, pods, view } = subject;
    const failed = remember(memory, pods, view.function.metadata.generation ?? 0, clock.now());
    for (const { failure } of failed) if (failure !== undefined) metrics.failures.inc({ reason: failure.reason });
    autoscaler.poke(key);

    const waitsForOldPods = this.#waitsForOldPods(subject);
    const desired = waitsForOldPods ? 0 : autoscaler.decision(key)?.desired;
    if (desired === undefined) return undefined;
    if (desired === 0 && !waitsForOldPods && !isProven(subject.revision) && view.reachable.has(name)) {
      rememberGivenUp(memory, pods, view.function.spec.scaling.startTimeoutSeconds, clock.now());
    }
    const again = await scaleRevision(this.#options, subject, this.#claims.claim(subject, desired));
    // What was created and removed just now is in the watch already where the cluster is in this process.
    const scaled = { ...subject, ...this.#observePods(subject.revision, view, memory) };
    this.#claims.settled(scaled);
    const untoldFor = await this.#reports.report(scaled, { desired, waitsForOldPods });
    // A pod that is lost makes no event.
    const lookAgain = waitsForOldPods ? LOST_MILLISECONDS : undefined;
    return soonest([again, dueAgain(memory, pods, clock.now()), lookAgain, untoldFor]);
  }

  /** Instead of `reconcile` while this replica does not lead: all that it does is to forget what is gone. */
  follow(key: string): void {
    const { observed, autoscaler } = this.#options;
    const { namespace, name } = parseKey(key);
    if (observed.revision(namespace, name) !== undefined) return;
    this.#known.delete(key);
    autoscaler.forget(key);
  }

  /**
   * Begins with nothing but what the objects say, as after a restart: since this replica last looked, another one has counted failures and deleted
   * pods. What the autoscaler decided meanwhile is taken as known; it wakes nothing a second time.
   */
  takeOver(keys: readonly string[]): void {
    this.#reports.leads = true;
    this.#known.clear();
    const { autoscaler, capacity } = this.#options;
    capacity.clear();
    for (const key of keys) {
      const subject = this.#subject(key);
      if (subject === undefined) continue;
      subject.memory.wokenAt = autoscaler.decision(key)?.wokenAt;
      if (!this.#claims.isBounded(subject)) continue;
      // All that want something stand in line before the first is granted anything.
      autoscaler.poke(key);
      const desired = this.#waitsForOldPods(subject) ? 0 : (autoscaler.decision(key)?.desired ?? 0);
      this.#claims.expect(subject, desired);
    }
  }

  /** Another replica tells the numbers from here on. */
  handOver(): void {
    this.#reports.leads = false;
    this.#options.capacity.clear();
    for (const { revision } of this.#known.values()) this.#options.metrics.forget(revision);
  }

  /** For the autoscaler; undefined if there is no such revision, or no function to it. */
  scalable(key: string): ScalableRevision | undefined {
    const subject = this.#subject(key);
    if (subject === undefined) return undefined;
    const { view, revision, pods, memory } = subject;
    return scalableRevision(view, revision, pods, memory, this.#claims.roomSince(subject));
  }

  /** For routes. */
  routed(key: string): RevisionPods {
    const subject = this.#subject(key);
    if (subject === undefined) return { pods: [], failure: undefined, spare: new Set(), startMilliseconds: undefined };
    const { clock, autoscaler, capacity } = this.#options;
    const desired = autoscaler.decision(key)?.desired;
    const granted = desired && Math.min(desired, capacity.allocation(key)?.granted ?? desired);
    return routedPods(subject.pods, subject.memory, granted, clock.now());
  }

  /** To be told of each decision; making it so is for `reconcile`. Gives whether callers wait for that. */
  decided(key: string, { wokenAt }: ScalingDecision): boolean {
    const memory = this.#known.get(key)?.memory;
    if (memory === undefined || memory.wokenAt === wokenAt) return false;
    memory.wokenAt = wokenAt;
    memory.unansweredWake = wokenAt === undefined ? undefined : this.#options.clock.monotonic();
    return wokenAt !== undefined;
  }

  #subject(key: string): RevisionSubject | undefined {
    const { observed } = this.#options;
    const { namespace, name } = parseKey(key);
    const revision = observed.revision(namespace, name);
    if (revision === undefined) return undefined;
    const fn = observed.function(namespace, revision.spec.functionName);
    if (fn === undefined || fn.metadata.deletionTimestamp !== undefined) return undefined;
    const view = viewFunction(fn, observed.revisionsOf(namespace, fn.metadata.name));
    if (!view.revisions.includes(revision)) return undefined;
    const memory = this.#remembered(key, revision);
    return { key, revision, view, memory, ...this.#observePods(revision, view, memory) };
  }

  #observePods(revision: ModelRevision, { function: fn }: FunctionView, memory: RevisionMemory): ObservedPods {
    const { startTimeoutSeconds } = fn.spec.scaling;
    const watching = { startTimeoutSeconds, watchingSince: this.#watchingSince, now: this.#options.clock.now() };
    return observePods(this.#options, revision, memory, watching);
  }

  /** Another object of the same name begins with nothing. */
  #remembered(key: string, revision: ModelRevision): RevisionMemory {
    const known = this.#known.get(key);
    if (known !== undefined && known.revision.metadata.uid === revision.metadata.uid) {
      known.revision = revision;
      return known.memory;
    }
    if (known !== undefined) this.#forget(key, known.revision);
    const { startMilliseconds } = revision.status ?? {};
    const memory = newMemory(
      restoreHistory(revision.status),
      startMilliseconds === undefined ? [] : [startMilliseconds],
    );
    this.#known.set(key, { revision, memory });
    return memory;
  }

  /**
   * With the strategy Recreate, a revision that never ran starts only when no other one has pods or is to have some: there is room for one. One that
   * ran before need not wait, or a broken new revision that still tries would keep it from serving.
   */
  #waitsForOldPods({ revision, view }: RevisionSubject): boolean {
    const { observed, autoscaler, clock } = this.#options;
    const { namespace = '' } = revision.metadata;
    if (view.function.spec.rollout.strategy !== 'Recreate' || isProven(revision)) return false;
    return view.revisions.some(({ metadata }) => {
      if (metadata.name === revision.metadata.name) return false;
      const pods = observed.podsOf(namespace, metadata.name).filter((pod) => !isLost(pod, clock.now()));
      return pods.length > 0 || (autoscaler.decision(keyOf(metadata))?.desired ?? 0) > 0;
    });
  }

  async #abandon(key: string): Promise<undefined> {
    const { cluster, observed } = this.#options;
    const { namespace, name } = parseKey(key);
    const known = this.#known.get(key);
    if (known !== undefined) this.#forget(key, known.revision);
    await deleteOrphans(cluster, namespace, name, observed.podsOf(namespace, name));
  }

  #forget(key: string, revision: ModelRevision): void {
    this.#options.metrics.forget(revision);
    this.#options.autoscaler.forget(key);
    this.#options.capacity.forget(key);
    this.#reports.forget(key);
    this.#known.delete(key);
  }
}
