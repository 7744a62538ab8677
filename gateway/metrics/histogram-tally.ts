/** How many values fell into each bucket, and their sum. Until the first value it takes next to no memory. */
export class HistogramTally {
  /** Upper bounds, in ascending order. */
  readonly bounds: readonly number[];
  /** Of each bound, and of what is beyond the last; none of those below it. */
  #counts: number[] | undefined;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
  }

  get sum(): number {
    return this.#sum;
  }

  get isEmpty(): boolean {
    return this.#counts === undefined;
  }

  observe(value: number): void {
    const { bounds } = this;
    const counts = (this.#counts ??= new Array<number>(bounds.length + 1).fill(0));
    let at = 0;
    while (at < bounds.length && value > (bounds[at] ?? 0)) at += 1;
    counts[at] = (counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  /** As Prometheus wants them: of each bound, and at last of all values, how many are not above it. */
  cumulative(): number[] {
    let count = 0;
    return [...this.bounds, Infinity].map((_, at) => (count += this.#counts?.[at] ?? 0));
  }
}
