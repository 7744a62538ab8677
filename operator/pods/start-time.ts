/** Learns how long a revision's pods take to start, from their creation to their announcement. State in, state out. */

/** The last few starts, newest last, in milliseconds. */
export type StartTimes = readonly number[];

/** So few that a slower registry or a larger cache shows soon, and so many that one odd start among them does not. */
const REMEMBERED = 5;

/**
 * @param seenAt when the pod was first seen to be starting
 * @param createdAt the pod's own time of creation, which a real cluster cuts to whole seconds
 * @param now when it was seen to be ready; all in milliseconds since the epoch
 */
export function recordStart(times: StartTimes, seenAt: number, createdAt: number, now: number): StartTimes {
  // Whoever has just made a pod sees it at once. An operator that came later does not, but the pod is no younger than its time of creation says.
  const began = Math.min(seenAt, createdAt + 1000);
  return [...times, Math.max(0, now - began)].slice(-REMEMBERED);
}

/** What the next start will take, in milliseconds: the median, of an even number the larger of the two; undefined before the first. */
export function expectedStart(times: StartTimes): number | undefined {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)];
}
