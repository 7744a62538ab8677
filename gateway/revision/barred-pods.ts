/**
 * Uids of pods that are gone, so that a late announcement of one is not believed: its address may be another's by now, and a request sent there
 * would wait for nothing.
 */
const BARRED_MILLISECONDS = 10 * 60_000;
/** About 1 MB; beyond it the oldest is let go, whose address only costs a failed attempt. */
const MOST = 10_000;

export class BarredPods {
  /** When each is let go, on the monotonic clock; insertion order is that of time. */
  readonly #until = new Map<string, number>();

  bar(uid: string, now: number): void {
    this.#until.delete(uid);
    this.#until.set(uid, now + BARRED_MILLISECONDS);
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= MOST) break;
      this.#until.delete(oldest);
    }
  }

  /** The operator lists it as ready, and knows better. */
  lift(uid: string): void {
    this.#until.delete(uid);
  }

  isBarred(uid: string, now: number): boolean {
    const until = this.#until.get(uid);
    return until !== undefined && until > now;
  }
}
