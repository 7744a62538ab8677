/**
 * What is counted of the requests of one revision: plain numbers, of which Prometheus' text is made when it asks. prom-client's own counters look their
 * values up by the text of all labels, each time: that was a fifteenth of what a request costs the gateway, and took 16 KB for each revision where these take 1.
 */
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import { HistogramTally } from './histogram-tally.ts';

/** Classes of answers; `aborted` is a client that left before its answer was out. */
export const OUTCOMES = ['2xx', '3xx', '4xx', '5xx', 'aborted'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Why an attempt at a pod led to another one. */
export const RETRY_REASONS = ['not-begun', 'died', 'stranger'] as const;
export type RetryReason = (typeof RETRY_REASONS)[number];

/** Seconds. Inference takes from under a millisecond to minutes. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Seconds. A large model on a new node takes minutes to its first answer. */
const WAIT_BUCKETS = [
  0.005, 0.025, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300,
];

export class RevisionTally {
  readonly requests: Record<Outcome, number> = { '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0, aborted: 0 };
  readonly retries: Record<RetryReason, number> = { 'not-begun': 0, died: 0, stranger: 0 };
  /** Answers that the gateway itself gave. */
  readonly errors: Partial<Record<GatewayErrorCode, number>> = {};
  /** All in seconds. */
  readonly duration = new HistogramTally(DURATION_BUCKETS);
  readonly queueWait = new HistogramTally(WAIT_BUCKETS);
  readonly coldStart = new HistogramTally(WAIT_BUCKETS);
}
