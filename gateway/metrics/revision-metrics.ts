/** What is counted of the requests of one revision; its labels are bound once, because hashing them would cost as much as a route lookup. */

/** Classes of answers; `aborted` is a client that left before its answer was out. */
export const OUTCOMES = ['2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Why an attempt at a pod led to another one. */
export const RETRY_REASONS = ['not-begun', 'died', 'stranger'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

export const REVISION_LABELS = ['namespace', 'function', 'revision'] as const;

export interface RevisionLabels {
  readonly namespace: string;
  readonly function: string;
  readonly revision: string;
}

interface Observer {
  observe(seconds: number): void;
}

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
