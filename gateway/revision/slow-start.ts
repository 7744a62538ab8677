/**
 * Decides how many requests a pod gets at once while it is new. Pure. Without it the first of several pods that start gets all that waits, up to a thousand
 * requests, and those that come a second later get nothing to do. With each answer there is room for one more, as in TCP, and each second doubles the room, so
 * that a pod whose answers take long is not held back for more than a few seconds: 32, after 1 s 64, after 5 s 1024.
 */

const FIRST = 32;
const DOUBLING_MILLISECONDS = 1_000;
/** Beyond, there is no bound left. */
const DOUBLINGS = 5;

/** `age` is in milliseconds since its first request. */
export function slowStartRoom(answers: number, age: number): number {
  const doublings = Math.floor(age / DOUBLING_MILLISECONDS);
  return doublings >= DOUBLINGS ? Number.POSITIVE_INFINITY : (FIRST + answers) * 2 ** doublings;
}

/** Milliseconds until there is more room though nothing is answered. */
export function nextDoubling(age: number): number {
  return DOUBLING_MILLISECONDS - (age % DOUBLING_MILLISECONDS);
}
