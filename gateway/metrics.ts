/** What the gateway exports to Prometheus: here what it counts of requests, by revision. */
import { Histogram, type Counter, type Registry } from 'prom-client';
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../common/wire/errors.ts';
import { announcementCounter, claimCounter } from './metrics/control-counters.ts';
import { registerLoadGauges, type GatewayLoad } from './metrics/load-gauges.ts';
import {
  NO_METRICS,
  OUTCOMES,
  RETRY_REASONS,
  REVISION_LABELS,
  type Outcome,
  type RetryReason,
  type RevisionLabels,
  type RevisionMetrics,
} from './metrics/revision-metrics.ts';
import { UnusedMetrics } from './metrics/unused-metrics.ts';
import { ZeroingCounter } from './metrics/zeroing-counter.ts';
import { ZeroingHistogram } from './metrics/zeroing-histogram.ts';

/** Seconds. Inference takes from under a millisecond to minutes. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Seconds. A large model on a new node takes minutes to its first answer. */
const WAIT_BUCKETS = [
  0.005, 0.025, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300,
];

/** What an error code is counted under; a request that no revision had is counted under none. */
interface CountedRevision {
  readonly namespace: string;
  readonly name: string;
  readonly settings: { readonly functionName: string };
  /** Its series are gone, and nobody would remove them a second time. */
  readonly isDropped: boolean;
}

/** Codes of answers that are given before a revision has the request. */
const WITHOUT_REVISION: ReadonlySet<GatewayErrorCode> = new Set([
  'no-routes',
  'unknown-function',
  'head-too-large',
  'not-implemented',
]);
const CODES = Object.keys(GATEWAY_ERRORS) as GatewayErrorCode[];
const REVISION_CODES = CODES.filter((code) => !WITHOUT_REVISION.has(code));

type RevisionLabel = keyof RevisionLabels;

export class GatewayMetrics {
  readonly announcements: Counter<'result'>;
  readonly claims: Counter<'result'>;
  /** By the revision's `namespace/name`. */
  readonly #unused = new Map<string, UnusedMetrics>();
  readonly #requests: Counter<RevisionLabel | 'outcome'>;
  readonly #retries: Counter<RevisionLabel | 'reason'>;
  readonly #errors: Counter<RevisionLabel | 'code'>;
  readonly #histograms: {
    readonly duration: Histogram<RevisionLabel>;
    readonly queueWait: Histogram<RevisionLabel>;
    readonly coldStart: Histogram<RevisionLabel>;
  };

  constructor(registry: Registry, load: () => GatewayLoad) {
    const registers = [registry];
    const unused = (): RevisionLabels[] => Array.from(this.#unused.values(), ({ labels }) => labels);
    const zeros = (label: string, values: readonly string[]) => () =>
      unused().flatMap((labels) => values.map((value) => ({ ...labels, [label]: value })));
    this.#requests = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_requests_total',
        help: 'Requests that ended, by the class of the answer.',
        labelNames: [...REVISION_LABELS, 'outcome'],
        registers,
      },
      zeros('outcome', OUTCOMES),
    );
    this.#retries = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_retries_total',
        help: 'Attempts at a pod that led to another attempt, by the reason.',
        labelNames: [...REVISION_LABELS, 'reason'],
        registers,
      },
      zeros('reason', RETRY_REASONS),
    );
    this.#errors = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_errors_total',
        help: 'Answers that the gateway itself gave, by error code.',
        labelNames: [...REVISION_LABELS, 'code'],
        registers,
      },
      zeros('code', REVISION_CODES),
    );
    for (const code of CODES) this.#errors.inc({ code }, 0);
    this.#histograms = {
      duration: new Histogram({
        name: 'pilotlight_gateway_request_duration_seconds',
        help: 'From the arrival of a request to the end of its answer.',
        labelNames: REVISION_LABELS,
        buckets: DURATION_BUCKETS,
        registers,
      }),
      queueWait: new Histogram({
        name: 'pilotlight_gateway_queue_wait_seconds',
        help: 'Wait for a slot in a pod, of requests that waited.',
        labelNames: REVISION_LABELS,
        buckets: WAIT_BUCKETS,
        registers,
      }),
      coldStart: new ZeroingHistogram(
        {
          name: 'pilotlight_gateway_cold_start_seconds',
          help: 'Wait for a pod, of requests that found none for their revision.',
          labelNames: REVISION_LABELS,
          buckets: WAIT_BUCKETS,
          registers,
        },
        unused,
      ),
    };
    this.announcements = announcementCounter(registry);
    this.claims = claimCounter(registry);
    registerLoadGauges(registry, load);
  }

  countError(code: GatewayErrorCode, revision?: CountedRevision): void {
    if (revision === undefined || revision.isDropped || WITHOUT_REVISION.has(code)) return this.#errors.inc({ code });
    const { namespace, name, settings } = revision;
    this.#unused.get(`${namespace}/${name}`)?.use();
    this.#errors.inc({ namespace, function: settings.functionName, revision: name, code });
  }

  /**
   * The counters and cold starts of a revision begin at zero: a function that is called once a day would otherwise begin at one, and no rate sees
   * the step from nothing to one.
   */
  bind(namespace: string, functionName: string, revision: string): RevisionMetrics {
    const unused = new UnusedMetrics({ namespace, function: functionName, revision }, this.#bound);
    this.#unused.set(`${namespace}/${revision}`, unused);
    return unused;
  }

  /** Forgets a revision that is gone, so that the export does not grow with every revision there ever was. */
  unbind(namespace: string, functionName: string, revision: string): void {
    if (this.#unused.delete(`${namespace}/${revision}`)) return;
    const labels = { namespace, function: functionName, revision };
    for (const outcome of OUTCOMES) this.#requests.remove({ ...labels, outcome });
    for (const reason of RETRY_REASONS) this.#retries.remove({ ...labels, reason });
    for (const code of REVISION_CODES) this.#errors.remove({ ...labels, code });
    for (const histogram of Object.values(this.#histograms)) histogram.remove(labels);
  }

  readonly #bound = ({ labels }: UnusedMetrics): RevisionMetrics => {
    // Without this its last requests would make the series of a revision anew that is gone.
    if (!this.#unused.delete(`${labels.namespace}/${labels.revision}`)) return NO_METRICS;
    for (const outcome of OUTCOMES) this.#requests.inc({ ...labels, outcome }, 0);
    for (const reason of RETRY_REASONS) this.#retries.inc({ ...labels, reason }, 0);
    for (const code of REVISION_CODES) this.#errors.inc({ ...labels, code }, 0);
    this.#histograms.coldStart.zero(labels);
    const requests = (outcome: Outcome): { inc(): void } => this.#requests.labels({ ...labels, outcome });
    const retries = (reason: RetryReason): { inc(): void } => this.#retries.labels({ ...labels, reason });
    return {
      requests: {
        '2xx': requests('2xx'),
        '3xx': requests('3xx'),
        '4xx': requests('4xx'),
        '5xx': requests('5xx'),
        aborted: requests('aborted'),
      },
      retries: { 'not-begun': retries('not-begun'), died: retries('died'), stranger: retries('stranger') },
      duration: this.#histograms.duration.labels(labels),
      queueWait: this.#histograms.queueWait.labels(labels),
      coldStart: this.#histograms.coldStart.labels(labels),
    };
  };
}
