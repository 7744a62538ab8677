import type { ScalingSettings } from '../scalable.ts';
import { panicWindowSeconds } from '../kpa/kpa-settings.ts';
import type { Adjustment } from './adjustment.ts';

/**
 * A pod that is made now is of use after a start. So no further pod is started for a backlog that those there are, and on their way, clear within one
 * start time.
 *
 * 100 requests come at once to a model at zero that starts in 20 s and answers 8 a second. Knative asks for 100 / 8, 13 pods. One is ready after 20 s and done
 * 12.5 s later, before a pod that was started for what was left could have helped.
 */
export const clearsInTime: Adjustment = {
  reason: 'ClearsInTime',
  adjust: (desired, { revision, backlogReplicas }) =>
    backlogReplicas === undefined
      ? desired
      : Math.min(desired, Math.max(revision.readyReplicas + revision.startingReplicas, backlogReplicas)),
};

export interface Backlog {
  readonly scaling: ScalingSettings;
  /** What the start of a pod takes. */
  readonly startSeconds: number;
  /** How long a caller waits, at most. */
  readonly patienceSeconds: number;
  /** Requests that are there. */
  readonly requests: number;
  /** Requests a second that are to be expected. */
  readonly arrivalRate: number;
  readonly podSecondsPerRequest: number;
}

/**
 * The least number of pods that, in one start time, bring the requests down to what they hold at once: `(requests + rate × start) / (start / work + target)`,
 * rounded up. Undefined if callers would not wait for two starts: what is learned of the work can be wrong, and pods that are added when that shows would
 * come too late for them.
 */
export function replicasToClear(backlog: Backlog): number | undefined {
  const { scaling, startSeconds, patienceSeconds, requests, arrivalRate } = backlog;
  if (startSeconds <= 0 || 2 * startSeconds > patienceSeconds) return undefined;
  // A target of requests a second says what a pod answers, and nothing of what it holds.
  const isRate = scaling.metric === 'RequestsPerSecond';
  const answeredByOne = isRate
    ? startSeconds * scaling.target
    : startSeconds / backlog.podSecondsPerRequest + scaling.target;
  return Math.ceil((requests + arrivalRate * startSeconds) / answeredByOne);
}

/**
 * How long Knative's number may be put off: a start for those on their way, another to clear, and until the panic window has seen that they did. Then the estimate
 * was wrong, and Knative's number is taken.
 */
export function longestHold(scaling: ScalingSettings, startSeconds: number): number {
  return 2 * startSeconds + panicWindowSeconds(scaling);
}
