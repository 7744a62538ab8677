/**
 * A metric by second over a sliding window, as Knative buckets it: what the averages of `window-average.ts` are computed from. It adds up and
 * forgets; it averages nothing and knows no clock. Times are whole seconds, at least 0, of any clock that does not jump.
 */
export class BucketRing {
  #buckets: Float64Array;
  #total = 0;
  #first: number | undefined;
  #last: number | undefined;

  constructor(lengthSeconds: number) {
    this.#buckets = new Float64Array(lengthSeconds);
  }

  get length(): number {
    return this.#buckets.length;
  }

  /** Sum of all buckets. It is kept up by adding and subtracting, so it can be off by some 1e-12. */
  get total(): number {
    return this.#total;
  }

  /** Second of the first write since the window was last silent for its whole length: an average goes no further back. */
  get first(): number | undefined {
    return this.#first;
  }

  /** Newest second that was written. */
  get last(): number | undefined {
    return this.#last;
  }

  /** True if nothing was written for longer than the window at `second`. */
  isEmpty(second: number): boolean {
    return this.#last === undefined || second - this.#last > this.length;
  }

  /** What was recorded in a second of the window that ends at `last`. */
  at(second: number): number {
    return this.#buckets[second % this.length] ?? 0;
  }

  /**
   * Adds to a second's bucket. Seconds that were skipped count as 0, a second within the window may come late, an older one is ignored, and the
   * first write after a silent window begins a new, partial window: so the average reacts at once when demand returns.
   */
  record(second: number, value: number): void {
    if (this.#last === undefined || second - this.#last >= this.length) this.#restart(second);
    else if (second > this.#last) this.#advance(this.#last, second);
    else if (this.#last - second >= this.length) return;
    if (this.#first === undefined || second < this.#first) this.#first = second;
    const index = second % this.length;
    this.#buckets[index] = this.at(second) + value;
    this.#total += value;
  }

  /** Keeps the newest buckets that fit; a longer window stays partial until it has filled. */
  resize(lengthSeconds: number): void {
    if (lengthSeconds === this.length) return;
    const buckets = new Float64Array(lengthSeconds);
    let total = 0;
    if (this.#last !== undefined) {
      const kept = Math.min(lengthSeconds, this.length);
      for (let second = Math.max(0, this.#last - kept + 1); second <= this.#last; second++) {
        buckets[second % lengthSeconds] = this.at(second);
        total += this.at(second);
      }
      this.#first = Math.max(this.#first ?? 0, this.#last - kept + 1);
    }
    this.#buckets = buckets;
    this.#total = total;
  }

  #restart(second: number): void {
    this.#buckets.fill(0);
    this.#total = 0;
    this.#first = second;
    this.#last = second;
  }

  #advance(from: number, to: number): void {
    for (let second = from + 1; second <= to; second++) {
      this.#total -= this.at(second);
      this.#buckets[second % this.length] = 0;
    }
    this.#last = to;
  }
}
