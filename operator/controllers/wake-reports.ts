/**
 * Decides when it is told that a proven revision was woken. Its pod comes first: until that is ready, what its status and its function's say changes four
 * times, and each write costs the API server, its store and every watch of it 10 ms of CPU, often on the machine on which the pod starts. So nothing is
 * told before the pod is ready, and of several that wake at once nothing before the last is, unless that takes long. Pure.
 */

/** Milliseconds from the wake after which it is told in any case: people who watch should not have to wonder. */
const LONGEST_MILLISECONDS = 5000;

/** Until it is looked at again whether the others are ready. */
const AGAIN_MILLISECONDS = 250;

export interface WakeState {
  /** Milliseconds since the epoch; undefined of a revision at zero. */
  readonly wokenAt: number | undefined;
  readonly isReady: boolean;
}

export class WakeReports {
  /** Those whose pods are on their way, by key: until when that keeps the others waiting. */
  readonly #starting = new Map<string, number>();

  /** Gives the milliseconds for which to tell nothing of this revision, 0 for none. */
  heldFor(key: string, { wokenAt, isReady }: WakeState, now: number): number {
    this.#starting.delete(key);
    const held = wokenAt === undefined ? 0 : wokenAt + LONGEST_MILLISECONDS - now;
    if (held <= 0) return 0;
    if (!isReady) {
      this.#starting.set(key, now + held);
      return held;
    }
    for (const until of this.#starting.values()) if (until > now) return Math.min(held, AGAIN_MILLISECONDS);
    return 0;
  }

  /** It needs telling at once, or is gone. */
  forget(key: string): void {
    this.#starting.delete(key);
  }
}
