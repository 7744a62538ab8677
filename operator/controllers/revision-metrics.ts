/** Metrics of revisions and their pods. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { ModelRevision } from '../../common/api/kinds.ts';
import type { ScalingDecision } from '../autoscaler/scalable.ts';
import { POD_FAILURE_REASONS } from '../pods/pod-failure.ts';

const REVISION_LABELS = ['namespace', 'function', 'revision'] as const;

export class RevisionMetrics {
  /** Pods that failed, by the reason that the revision's status shows. */
  readonly failures: Counter<'reason'>;
  readonly podsCreated: Counter;
  readonly podsDeleted: Counter;
  /** From the decision that woke a revision to the call that creates its first pod: the operator's own part of a cold start. */
  readonly wake: Histogram;
  readonly #desired: Gauge<(typeof REVISION_LABELS)[number]>;
  readonly #ready: Gauge<(typeof REVISION_LABELS)[number]>;
  readonly #panic: Gauge<(typeof REVISION_LABELS)[number]>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.failures = new Counter({
      name: 'pilotlight_pod_failures_total',
      help: 'Pods that failed, by reason.',
      labelNames: ['reason'],
      registers,
    });
    // From zero, or no rate sees the first of a reason.
    for (const reason of POD_FAILURE_REASONS) this.failures.inc({ reason }, 0);
    this.podsCreated = new Counter({
      name: 'pilotlight_pods_created_total',
      help: 'Pods that the operator asked the API server for.',
      registers,
    });
    this.podsDeleted = new Counter({
      name: 'pilotlight_pods_deleted_total',
      help: 'Pods that the operator deleted.',
      registers,
    });
    this.wake = new Histogram({
      name: 'pilotlight_wake_seconds',
      help: 'Time from the decision that wakes a revision to the call that creates its first pod.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
      registers,
    });
    const gauge = (name: string, help: string): Gauge<(typeof REVISION_LABELS)[number]> =>
      new Gauge({ name, help, labelNames: REVISION_LABELS, registers });
    this.#desired = gauge('pilotlight_desired_replicas', 'Pods that the autoscaler wants.');
    this.#ready = gauge('pilotlight_ready_replicas', 'Pods that are ready.');
    this.#panic = gauge('pilotlight_panic_mode', '1 while the autoscaler is in panic mode.');
  }

  observe(revision: ModelRevision, desired: number, ready: number, mode: ScalingDecision['mode'] | undefined): void {
    const labels = labelsOf(revision);
    this.#desired.set(labels, desired);
    this.#ready.set(labels, ready);
    this.#panic.set(labels, mode === 'Panic' ? 1 : 0);
  }

  forget(revision: ModelRevision): void {
    const labels = labelsOf(revision);
    this.#desired.remove(labels);
    this.#ready.remove(labels);
    this.#panic.remove(labels);
  }
}

function labelsOf({ metadata, spec }: ModelRevision): Record<(typeof REVISION_LABELS)[number], string> {
  return { namespace: metadata.namespace ?? '', function: spec.functionName, revision: metadata.name };
}
