/** Chooses the pod for a request: the one with less in flight of two at random. Pure: time and randomness are arguments. */

export interface Candidate {
  readonly inFlight: number;
  isAvailable(now: number, limit: number): boolean;
}

/**
 * Two choices keep the most loaded pod within O(log log n) of the mean (Mitzenmacher, 2001) at a constant price, and several gateways that all
 * see the same idle pod do not run at it together, as they would if each took the least loaded of all. Only when neither of the two can take
 * the request are all looked at, so that a free slot is never missed.
 */
export function pickPod<Pod extends Candidate>(
  pods: readonly Pod[],
  now: number,
  limit: number,
  random: () => number,
): Pod | undefined {
  if (pods.length === 0) return undefined;
  const first = Math.floor(random() * pods.length);
  const one = available(pods[first], now, limit);
  if (pods.length === 1) return one;
  const step = 1 + Math.floor(random() * (pods.length - 1));
  const other = available(pods[(first + step) % pods.length], now, limit);
  if (one !== undefined && other !== undefined) return other.inFlight < one.inFlight ? other : one;
  return one ?? other ?? leastInFlight(pods, now, limit);
}

function leastInFlight<Pod extends Candidate>(pods: readonly Pod[], now: number, limit: number): Pod | undefined {
  let least: Pod | undefined;
  for (const pod of pods) {
    if (!pod.isAvailable(now, limit)) continue;
    if (least === undefined || pod.inFlight < least.inFlight) least = pod;
  }
  return least;
}

function available<Pod extends Candidate>(pod: Pod | undefined, now: number, limit: number): Pod | undefined {
  return pod?.isAvailable(now, limit) === true ? pod : undefined;
}
