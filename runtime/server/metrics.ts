/**
 * The runtime's metrics: Triton's under their own names and units, so that its dashboards and load tools work unchanged, and the runtime's own.
 * They are moved where the thing happens; nothing here decides.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { NOT_ADMITTED, type NotAdmitted } from '../../common/wire/headers.ts';
import type { PodState } from '../admission/decide-admission.ts';
import type { InferenceResult, Model } from '../inference.ts';

/** Triton's reasons: refused before it began, given up by client or timeout, failed in the run, anything else (a bad request). */
export const FAILURE_REASONS = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

export interface RuntimeMetrics {
  readonly registry: Registry;
  admission(result: NotAdmitted | 'Admitted'): void;
  success(result: InferenceResult, requestMilliseconds: number): void;
  failure(reason: FailureReason): void;
  /** The model is warm: what it runs on, of what was wanted, and milliseconds of each phase of the start. */
  started(model: Model, wantedProviders: readonly string[], phases: Readonly<Record<string, number>>): void;
}

const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const MICROSECONDS = 1000;

/** `pod` is read at each scrape. */
export function createMetrics(model: string, version: string, pod: PodState): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const labels = { model, version };

  /** Counters with one label beside model and version, at zero from the start, so that a rate sees their first step. */
  const counters = <Value extends string>(name: string, help: string, label: string, values: readonly Value[]) => {
    const counter = new Counter({ name, help, labelNames: [...Object.keys(labels), label], registers });
    const children = new Map(values.map((value) => [value, counter.labels({ ...labels, [label]: value })]));
    for (const child of children.values()) child.inc(0);
    return (value: Value): void => children.get(value)?.inc();
  };
  const counter = (name: string, help: string): Counter.Internal => {
    const child = new Counter({ name, help, labelNames: Object.keys(labels), registers }).labels(labels);
    child.inc(0);
    return child;
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      labelNames: Object.keys(labels),
      registers,
      collect() {
        this.set(labels, read());
      },
    });
  };
  const duration = (part: string, what: string): Counter.Internal =>
    counter(`nv_inference_${part}_duration_us`, `Microseconds of ${what}, summed over successful requests.`);

  let loaded: Model | undefined;
  const success = counter('nv_inference_request_success', 'Inference requests that were answered with a result.');
  const rows = counter('nv_inference_count', 'Rows that were inferred.');
  const runs = counter('nv_inference_exec_count', 'Runs of the model; rows by runs is the mean batch.');
  const request = duration('request', 'requests from admission to answer');
  const queue = duration('queue', 'waiting for a run');
  const computeInput = duration('compute_input', 'handing inputs to the model');
  const compute = duration('compute_infer', 'running the model');
  const computeOutput = duration('compute_output', 'taking outputs from the model');
  gauge('nv_inference_pending_request_count', 'Requests that wait for a run.', () => loaded?.load.waiting ?? 0);
  gauge('pilotlight_runtime_requests_in_flight', 'Requests that were admitted and have not ended.', () => pod.inFlight);
  const batchSize = new Histogram({
    name: 'pilotlight_runtime_batch_size',
    help: 'Requests that shared a run.',
    labelNames: Object.keys(labels),
    buckets: BATCH_SIZES,
    registers,
  }).labels(labels);
  const providers = new Gauge({
    name: 'pilotlight_runtime_execution_provider',
    help: '1 for an execution provider in use, 0 for one that was wanted and is not there.',
    labelNames: [...Object.keys(labels), 'provider'],
    registers,
  });
  const startPhases = new Gauge({
    name: 'pilotlight_runtime_start_phase_seconds',
    help: 'How long each phase of the start took.',
    labelNames: [...Object.keys(labels), 'phase'],
    registers,
  });

  return {
    registry,
    admission: counters(
      'pilotlight_runtime_admissions_total',
      'Inference requests that came, by what was decided about them.',
      'result',
      ['Admitted', ...(Object.keys(NOT_ADMITTED) as NotAdmitted[])],
    ),
    failure: counters(
      'nv_inference_request_failure',
      'Inference requests without a result, by reason.',
      'reason',
      FAILURE_REASONS,
    ),
    success({ timing, batch }, requestMilliseconds) {
      success.inc();
      request.inc(requestMilliseconds * MICROSECONDS);
      queue.inc(timing.queue * MICROSECONDS);
      computeInput.inc(timing.computeInput * MICROSECONDS);
      compute.inc(timing.compute * MICROSECONDS);
      computeOutput.inc(timing.computeOutput * MICROSECONDS);
      if (!batch.first) return;
      runs.inc();
      rows.inc(batch.rows);
      batchSize.observe(batch.requests);
    },
    started(model, wantedProviders, phases) {
      loaded = model;
      for (const provider of new Set([...wantedProviders, ...model.executionProviders])) {
        providers.set({ ...labels, provider }, model.executionProviders.includes(provider) ? 1 : 0);
      }
      for (const [phase, milliseconds] of Object.entries(phases)) {
        startPhases.set({ ...labels, phase }, milliseconds / 1000);
      }
    },
  };
}
