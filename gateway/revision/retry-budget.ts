/**
 * Bounds how many requests of a revision are sent again because their pod died with them. One death costs a retry for each request that the pod had, and is
 * always paid; pods that go on dying would have every request sent twice, by a fleet that can least afford it. So a fifth of all requests may be, on average.
 */

const SHARE = 0.2;

export class RetryBudget {
  readonly #most: number;
  #left: number;

  /** `most` are paid for whatever the share. */
  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** A request came. */
  earn(): void {
    this.#left = Math.min(this.#most, this.#left + SHARE);
  }

  /** False: not this one. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
