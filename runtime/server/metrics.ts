/**
 * The runtime's metrics: Triton's under their own names and units, so that its dashboards and load tools work unchanged, and the runtime's own.
 * They are moved where the thing happens; nothing here decides.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { systemClock, type Clock } from '../../common/platform/clock.ts';
import { NOT_ADMITTED, type NotAdmitted } from '../../common/wire/headers.ts';
import type { Gate } from '../admission/gate.ts';
import type { InferenceResult, Model } from '../inference.ts';
import { FAILURE_REASONS, InferenceStatistics, type FailureReason, type Total } from './statistics.ts';

export interface RuntimeMetrics {
  readonly registry: Registry;
  readonly statistics: InferenceStatistics;
  admission(result: NotAdmitted | 'Admitted'): void;
  /** A run gave this to one of its requests, whether somebody still waits for it or not. */
  ran(result: InferenceResult): void;
  /** A request was answered with this, so long after its admission. */
  success(result: InferenceResult, requestMilliseconds: number): void;
  failure(reason: FailureReason, requestMilliseconds: number): void;
  /** The model is warm: what it runs on, of what was wanted, and milliseconds of each phase of the start. */
  started(model: Model, wantedProviders: readonly string[], phases: Readonly<Record<string, number>>): void;
}

const BATCH_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const MICROSECONDS = 1000;
const ADMISSION_RESULTS = ['Admitted', ...(Object.keys(NOT_ADMITTED) as NotAdmitted[])] as const;

/** `pod` is read at each scrape. */
export function createMetrics(
  model: string,
  version: string,
  pod: Pick<Gate, 'inFlight' | 'memory' | 'memoryLimit'>,
  clock: Pick<Clock, 'now'> = systemClock,
): RuntimeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const labels = { model, version };
  const labelNames = Object.keys(labels);
  const statistics = new InferenceStatistics();
  const admissions = new Map<string, number>(ADMISSION_RESULTS.map((result) => [result, 0]));

  /** Read at each scrape, from 0 on, so that a rate sees the first step. */
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        this.inc(labels, read());
      },
    });
  };
  /** The same with one label beside model and version, for each of its values. */
  const counters = <Value extends string>(
    name: string,
    help: string,
    label: string,
    values: readonly Value[],
    read: (value: Value) => number,
  ): void => {
    new Counter({
      name,
      help,
      labelNames: [...labelNames, label],
      registers,
      collect() {
        this.reset();
        for (const value of values) this.inc({ ...labels, [label]: value }, read(value));
      },
    });
  };
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.set(labels, read());
      },
    });
  };
  const duration = (part: string, what: string, read: () => Total): void => {
    counter(
      `nv_inference_${part}_duration_us`,
      `Microseconds of ${what}, summed over successful requests.`,
      () => read().milliseconds * MICROSECONDS,
    );
  };

  let loaded: Model | undefined;
  counter(
    'nv_inference_request_success',
    'Inference requests that were answered with a result.',
    () => statistics.success.count,
  );
  counter('nv_inference_count', 'Rows that were inferred.', () => statistics.rows);
  counter('nv_inference_exec_count', 'Runs of the model; rows by runs is the mean batch.', () => statistics.runs);
  duration('request', 'requests from admission to answer', () => statistics.success);
  duration('queue', 'waiting for a run', () => statistics.queue);
  duration('compute_input', 'handing inputs to the model', () => statistics.computeInput);
  duration('compute_infer', 'running the model', () => statistics.compute);
  duration('compute_output', 'taking outputs from the model', () => statistics.computeOutput);
  gauge('nv_inference_pending_request_count', 'Requests that wait for a run.', () => loaded?.load.waiting ?? 0);
  gauge('pilotlight_runtime_requests_in_flight', 'Requests that were admitted and have not ended.', () => pod.inFlight);
  gauge(
    'pilotlight_runtime_request_memory_bytes',
    'Memory that requests take by their bodies, BYTES elements and answers, as they are counted for admission.',
    () => pod.memory,
  );
  gauge(
    'pilotlight_runtime_request_memory_limit_bytes',
    'What they may take together; requests beyond are refused.',
    () => pod.memoryLimit,
  );
  gauge(
    'pilotlight_runtime_batch_limit',
    'The most rows that share a run: 1 where batching is off.',
    () => loaded?.batchLimit ?? 0,
  );
  const batchSize = new Histogram({
    name: 'pilotlight_runtime_batch_size',
    help: 'Requests that shared a run.',
    labelNames,
    buckets: BATCH_SIZES,
    registers,
  }).labels(labels);
  new Gauge({
    name: 'pilotlight_runtime_batch_rows_per_second',
    help: 'What a batch of so many rows was measured to give; without samples until it was.',
    labelNames: [...labelNames, 'rows'],
    registers,
    collect() {
      for (const { rows, rowsPerSecond } of loaded?.facts.batching.measured ?? []) {
        this.set({ ...labels, rows }, rowsPerSecond);
      }
    },
  });
  const providers = new Gauge({
    name: 'pilotlight_runtime_execution_provider',
    help: '1 for an execution provider in use, 0 for one that was wanted and is not there.',
    labelNames: [...labelNames, 'provider'],
    registers,
  });
  const startPhases = new Gauge({
    name: 'pilotlight_runtime_start_phase_seconds',
    help: 'How long each phase of the start took.',
    labelNames: [...labelNames, 'phase'],
    registers,
  });
  counters(
    'pilotlight_runtime_admissions_total',
    'Inference requests that came, by what was decided about them.',
    'result',
    ADMISSION_RESULTS,
    (result) => admissions.get(result) ?? 0,
  );
  counters(
    'nv_inference_request_failure',
    'Inference requests without a result, by reason.',
    'reason',
    FAILURE_REASONS,
    (reason) => statistics.failures(reason).count,
  );

  return {
    registry,
    statistics,
    admission(result) {
      admissions.set(result, (admissions.get(result) ?? 0) + 1);
    },
    ran(result) {
      statistics.ran(result);
      if (result.batch.first) batchSize.observe(result.batch.requests);
    },
    success(result, milliseconds) {
      statistics.succeeded(result, milliseconds, clock.now());
    },
    failure(reason, milliseconds) {
      statistics.failed(reason, milliseconds);
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
