/** Learns how much of a pod's time a request takes, from what gateways count. State in, state out. */

/** Sums in which the past fades. */
export interface PodWork {
  /** Seconds in which pods were busy. */
  readonly podSeconds: number;
  /** Requests that ended in them. */
  readonly ended: number;
  /** Requests that were present, and pods that were ready, at the end. */
  readonly present: number;
  readonly readyReplicas: number;
  /** Those that were ready a look earlier. */
  readonly readyBefore: number;
}

export const NO_WORK: PodWork = { podSeconds: 0, ended: 0, present: 0, readyReplicas: 0, readyBefore: 0 };

/** What was measured since the last look. */
export interface Measured {
  readonly seconds: number;
  readonly requestSeconds: number;
  readonly arrived: number;
}

/** After so many seconds of busy pods, what was learned before counts half: a model gets other inputs, or a node another load. */
const HALF_LIFE_POD_SECONDS = 60;

/**
 * A pod is busy while a request is in it. So with fewer requests than pods, busy are as many pods as there are requests; with more, and while requests
 * wait, all are that were ready all the time. A pod that could take more requests at once than it had is not known to: the estimate is then too high, never too low.
 */
export function learnWork(work: PodWork, measured: Measured, present: number, readyReplicas: number): PodWork {
  // What was measured is older than the pods that are ready now, by up to a look.
  const ready = Math.min(readyReplicas, work.readyReplicas, work.readyBefore);
  const busy = Math.max(0, Math.min(measured.requestSeconds, ready * measured.seconds));
  const faded = 0.5 ** (busy / HALF_LIFE_POD_SECONDS);
  return {
    podSeconds: faded * work.podSeconds + busy,
    ended: faded * work.ended + measured.arrived + work.present - present,
    present,
    // A decision that is asked for between two measurements, as one is when a pod becomes ready, begins no new one.
    ...(measured.seconds > 0
      ? { readyReplicas, readyBefore: work.readyReplicas }
      : { readyReplicas: work.readyReplicas, readyBefore: work.readyBefore }),
  };
}

/**
 * Pod-seconds that a request takes. Before the first has ended, it is taken that a pod answers `target` requests in a second; that weighs as much as one
 * second of each pod, so it matters for the first few seconds alone.
 */
export function podSecondsPerRequest({ podSeconds, ended, readyReplicas }: PodWork, target: number): number {
  const assumed = Math.max(1, readyReplicas);
  return (podSeconds + assumed) / (Math.max(0, ended) + assumed * target);
}
