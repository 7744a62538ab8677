/** Says in a revision's status how its pods are, with the scale that was decided, in metrics and in events; what changes fast is told a little later. */
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelRevisionStatus } from '../../common/api/kinds.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Autoscaler } from '../autoscaler/autoscaler.ts';
import type { Capacity } from '../capacity/capacity.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { Cluster } from '../cluster/port.ts';
import { MODEL_REVISIONS } from '../cluster/resources.ts';
import { expectedStart } from '../pods/start-time.ts';
import { countsHeldFor } from './held-counts.ts';
import { recordEvents } from './new-event.ts';
import { isProven } from './plan-revisions.ts';
import { revisionEvents } from './revision-events.ts';
import type { RevisionMetrics } from './revision-metrics.ts';
import { revisionStatus } from './revision-status.ts';
import type { RevisionSubject } from './revision-subject.ts';
import { statusPatch } from './status-patch.ts';
import { WakeReports } from './wake-reports.ts';

export interface ReportOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly autoscaler: Pick<Autoscaler, 'decision'>;
  readonly capacity: Pick<Capacity, 'allocation'>;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly metrics: RevisionMetrics;
}

/** What was decided of a revision. */
export interface ReportedDecision {
  readonly desired: number;
  readonly waitsForOldPods: boolean;
}

export class RevisionReports {
  readonly #options: ReportOptions;
  readonly #wakes = new WakeReports();
  /** The numbers are this replica's to tell. */
  leads = false;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Gives the milliseconds after which to report what is left untold. */
  async report(subject: RevisionSubject, { desired, waitsForOldPods }: ReportedDecision): Promise<number | undefined> {
    const { cluster, clock, autoscaler, capacity, events, metrics } = this.#options;
    const { revision, memory, view, key, pods, announcement } = subject;
    const { namespace = '', name } = revision.metadata;
    const { mode, wokenAt } = autoscaler.decision(key) ?? {};
    const isOtherScale = revision.spec.replicas !== desired;
    const next = revisionStatus(
      {
        revision,
        // Setting the scale counts it up, and a status of the generation before would be written again. If the scale is so already and that was not seen
        // yet, whoever set it counted it up.
        generation: (revision.metadata.generation ?? 0) + (isOtherScale ? 1 : 0),
        pods,
        desired,
        initialReplicas: view.function.spec.scaling.initialReplicas,
        reachable: view.reachable.has(name),
        waitsForOldPods,
        history: memory.history,
        foreign: [...new Set([...subject.foreign, ...memory.foreign])],
        mode,
        wokenAt,
        announcement,
        startMilliseconds: expectedStart(memory.startTimes),
        waitsForCapacity: capacity.allocation(key)?.waiting,
      },
      clock.now(),
    );
    if (this.leads) metrics.observe(revision, desired, next.readyReplicas ?? 0, mode);
    const untoldFor = this.#untoldFor(subject, next, wokenAt);
    if (untoldFor > 0) return untoldFor;
    const patch = statusPatch(revision.status, next);
    if (patch === undefined) {
      memory.countsDueAt = undefined;
      return undefined;
    }
    const countsHeld = countsHeldFor(memory, revision.status, next, clock.monotonic());
    if (countsHeld > 0) return countsHeld;
    if (isOtherScale) await cluster.scale(MODEL_REVISIONS, { namespace, name }, desired);
    await cluster.patchStatus(MODEL_REVISIONS, { namespace, name }, patch);
    recordEvents(events, revision, revisionEvents(revision.status, next));
    return undefined;
  }

  forget(key: string): void {
    this.#wakes.forget(key);
  }

  #untoldFor(
    { key, revision }: RevisionSubject,
    { readyReplicas = 0, conditions }: ModelRevisionStatus,
    wokenAt: number | undefined,
  ): number {
    if (isProven(revision) && findCondition(conditions, 'PodsHealthy')?.status === 'True') {
      return this.#wakes.heldFor(key, { wokenAt, isReady: readyReplicas > 0 }, this.#options.clock.now());
    }
    this.#wakes.forget(key);
    return 0;
  }
}
