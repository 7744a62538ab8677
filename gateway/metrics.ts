/** What the gateway exports to Prometheus. Labels of a revision are bound once, because hashing them would cost as much as a route lookup. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../common/wire/errors.ts';
import { ZeroingCounter } from './zeroing-counter.ts';

/** Classes of answers; `aborted` is a client that left before its answer was out. */
export const OUTCOMES = ['2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Why an attempt at a pod led to another one. */
export const RETRY_REASONS = ['not-begun', 'died', 'stranger'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

export const ANNOUNCEMENT_RESULTS = [
  'accepted',
  'kept',
  'gone',
  'invalid',
  'unauthorized',
  'forbidden',
  'not-ready',
] as const;
export type AnnouncementResult = (typeof ANNOUNCEMENT_RESULTS)[number];

/** What became of a claim of another gateway to a slot: `left` gave up before it had one, or its gateway did. */
export const CLAIM_RESULTS = ['granted', 'denied', 'left'] as const;
export type ClaimResult = (typeof CLAIM_RESULTS)[number];

const LABELS = ['namespace', 'function', 'revision'] as const;

/** Seconds. Inference takes from under a millisecond to minutes. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Seconds. A large model on a new node takes minutes to its first answer. */
const WAIT_BUCKETS = [
  0.005, 0.025, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300,
];

interface Observer {
  observe(seconds: number): void;
}

/** One revision's, with its labels bound. */
export interface RevisionMetrics {
  readonly requests: Readonly<Record<Outcome, { inc(): void }>>;
  readonly retries: Readonly<Record<RetryReason, { inc(): void }>>;
  readonly duration: Observer;
  readonly queueWait: Observer;
  readonly coldStart: Observer;
}

const UNCOUNTED: { inc(): void } & Observer = { inc: () => undefined, observe: () => undefined };

/** For a revision that is gone: what its last requests would count would make its series anew, and nobody would remove them. */
export const NO_METRICS: RevisionMetrics = {
  requests: { '2xx': UNCOUNTED, '3xx': UNCOUNTED, '4xx': UNCOUNTED, '5xx': UNCOUNTED, aborted: UNCOUNTED },
  retries: { 'not-begun': UNCOUNTED, died: UNCOUNTED, stranger: UNCOUNTED },
  duration: UNCOUNTED,
  queueWait: UNCOUNTED,
  coldStart: UNCOUNTED,
};

/** What is read when Prometheus asks. */
export interface RevisionLoad {
  readonly namespace: string;
  readonly functionName: string;
  readonly revision: string;
  readonly inFlight: number;
  readonly queued: number;
  readonly queuedBytes: number;
}

/** Of other gateways, now. */
export interface ClaimLoad {
  readonly waiting: number;
  readonly granted: number;
}

export interface GatewayLoad {
  readonly revisions: Iterable<RevisionLoad>;
  readonly heldBytes: number;
  readonly streams: number;
  readonly peers: number;
  readonly claims: ClaimLoad;
  readonly epoch: number;
  /** Milliseconds of the Unix epoch; undefined before any routes. */
  readonly confirmedAt: number | undefined;
}

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

interface RevisionLabels {
  readonly namespace: string;
  readonly function: string;
  readonly revision: string;
}

/** Of a revision that nobody called yet: bound with the first use. */
class UnusedMetrics implements RevisionMetrics {
  readonly labels: RevisionLabels;
  readonly #bind: (unused: UnusedMetrics) => RevisionMetrics;
  #bound: RevisionMetrics | undefined;

  constructor(labels: RevisionLabels, bind: (unused: UnusedMetrics) => RevisionMetrics) {
    this.labels = labels;
    this.#bind = bind;
  }

  /** Once bound they are all here. */
  use(): RevisionMetrics {
    return (this.#bound ??= this.#bind(this));
  }

  get requests(): RevisionMetrics['requests'] {
    return this.use().requests;
  }

  get retries(): RevisionMetrics['retries'] {
    return this.use().retries;
  }

  get duration(): Observer {
    return this.use().duration;
  }

  get queueWait(): Observer {
    return this.use().queueWait;
  }

  get coldStart(): Observer {
    return this.use().coldStart;
  }
}

export class GatewayMetrics {
  /** By the revision's `namespace/name`. */
  readonly #unused = new Map<string, UnusedMetrics>();
  readonly #errors: Counter<(typeof LABELS)[number] | 'code'>;
  readonly announcements: Counter<'result'>;
  readonly claims: Counter<'result'>;
  readonly #requests: Counter<(typeof LABELS)[number] | 'outcome'>;
  readonly #retries: Counter<(typeof LABELS)[number] | 'reason'>;
  readonly #histograms: {
    readonly duration: Histogram<(typeof LABELS)[number]>;
    readonly queueWait: Histogram<(typeof LABELS)[number]>;
    readonly coldStart: Histogram<(typeof LABELS)[number]>;
  };

  constructor(registry: Registry, load: () => GatewayLoad) {
    const registers = [registry];
    const zeros = (label: string, values: readonly string[]) => () =>
      [...this.#unused.values()].flatMap(({ labels }) => values.map((value) => ({ ...labels, [label]: value })));
    const histogram = (name: string, help: string, buckets: number[]): Histogram<(typeof LABELS)[number]> =>
      new Histogram({ name: `pilotlight_gateway_${name}`, help, labelNames: LABELS, buckets, registers });
    this.#requests = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_requests_total',
        help: 'Requests that ended, by the class of the answer.',
        labelNames: [...LABELS, 'outcome'],
        registers,
      },
      zeros('outcome', OUTCOMES),
    );
    this.#retries = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_retries_total',
        help: 'Attempts at a pod that led to another attempt, by the reason.',
        labelNames: [...LABELS, 'reason'],
        registers,
      },
      zeros('reason', RETRY_REASONS),
    );
    this.#histograms = {
      duration: histogram(
        'request_duration_seconds',
        'From the arrival of a request to the end of its answer.',
        DURATION_BUCKETS,
      ),
      queueWait: histogram('queue_wait_seconds', 'Wait for a slot in a pod, of requests that waited.', WAIT_BUCKETS),
      coldStart: new Histogram({
        name: 'pilotlight_gateway_cold_start_seconds',
        help: 'Wait for a pod, of requests that found none for their revision.',
        labelNames: LABELS,
        buckets: WAIT_BUCKETS,
        registers,
        collect: () => this.#exportZeroColdStarts(),
      }),
    };
    this.#errors = new ZeroingCounter(
      {
        name: 'pilotlight_gateway_errors_total',
        help: 'Answers that the gateway itself gave, by error code.',
        labelNames: [...LABELS, 'code'],
        registers,
      },
      zeros('code', REVISION_CODES),
    );
    for (const code of CODES) this.#errors.inc({ code }, 0);
    this.announcements = new Counter({
      name: 'pilotlight_gateway_announcements_total',
      help: 'Announcements of pods, by what became of them.',
      labelNames: ['result'],
      registers,
    });
    for (const result of ANNOUNCEMENT_RESULTS) this.announcements.inc({ result }, 0);
    this.claims = new Counter({
      name: 'pilotlight_gateway_claims_total',
      help: 'Claims of other gateways to slots that this one gives out, by what became of them.',
      labelNames: ['result'],
      registers,
    });
    for (const result of CLAIM_RESULTS) this.claims.inc({ result }, 0);
    registerLoad(registry, load);
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

  /** They are there while the library reads them, which it does at once, and gone afterwards. */
  #exportZeroColdStarts(): void {
    const { coldStart } = this.#histograms;
    const zeroed = [...this.#unused.values()];
    for (const { labels } of zeroed) coldStart.zero(labels);
    queueMicrotask(() => {
      for (const unused of zeroed) {
        const { labels } = unused;
        if (this.#unused.get(`${labels.namespace}/${labels.revision}`) === unused) coldStart.remove(labels);
      }
    });
  }
}

function registerLoad(registry: Registry, load: () => GatewayLoad): void {
  const registers = [registry];
  const perRevision = (name: string, help: string, value: (revision: RevisionLoad) => number): void => {
    new Gauge({
      name: `pilotlight_gateway_${name}`,
      help,
      labelNames: LABELS,
      registers,
      collect() {
        this.reset();
        for (const revision of load().revisions) {
          const { namespace, functionName } = revision;
          this.set({ namespace, function: functionName, revision: revision.revision }, value(revision));
        }
      },
    });
  };
  perRevision('requests_in_flight', 'Requests that pods have now.', ({ inFlight }) => inFlight);
  perRevision('requests_queued', 'Requests that are held now.', ({ queued }) => queued);
  perRevision('queued_bytes', 'Bytes of the bodies of queued requests.', ({ queuedBytes }) => queuedBytes);
  new Gauge({
    name: 'pilotlight_gateway_held_bytes',
    help: 'Bytes of the bodies of requests in memory, of all functions together.',
    registers,
    collect() {
      this.set(load().heldBytes);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_operator_streams',
    help: 'Operators that are connected.',
    registers,
    collect() {
      this.set(load().streams);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_peers',
    help: 'Other gateways whose queues are used, connected.',
    registers,
    collect() {
      this.set(load().peers);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_claims',
    help: 'Claims of other gateways that wait here for a slot, or have one, now.',
    labelNames: ['state'],
    registers,
    collect() {
      const { waiting, granted } = load().claims;
      this.set({ state: 'waiting' }, waiting);
      this.set({ state: 'granted' }, granted);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_routes_epoch',
    help: 'Epoch of the routes in use; 0 before the first.',
    registers,
    collect() {
      this.set(load().epoch);
    },
  });
  new Gauge({
    name: 'pilotlight_gateway_routes_confirmed_timestamp_seconds',
    help: 'When the routes in use were last known to be the latest: now, while an operator that leads is connected; 0 before the first.',
    registers,
    collect() {
      this.set((load().confirmedAt ?? 0) / 1_000);
    },
  });
}
