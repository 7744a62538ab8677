/** A request of a trace, and what became of it. Times are seconds since the begin of the trace. */

export interface Arrival {
  readonly at: number;
  /** What a pod takes for it once it runs. */
  readonly serviceSeconds: number;
}

/**
 * Answered; refused because the queue was full; given up because no pod took it within the queue's timeout; or cut off because its pod did not answer within
 * the function's.
 */
export type Outcome = 'Answered' | 'QueueFull' | 'NoPodInTime' | 'TimedOut';

export interface RequestRecord extends Arrival {
  /** When a pod began to run it; undefined if none did. */
  readonly begunAt: number | undefined;
  /** When its caller had an answer, or an error. */
  readonly endedAt: number;
  readonly outcome: Outcome;
}
