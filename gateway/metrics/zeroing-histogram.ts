/** A histogram that exports zeros for what has not been observed yet, and as a `ZeroingCounter` makes them only when it is asked: kept, each takes 3 KB. */
import { Histogram, type HistogramConfiguration, type LabelValues } from 'prom-client';

declare module 'prom-client' {
  interface Histogram<T extends string = string> {
    /** What the library makes its text of, and what it gives as `get`; its own types leave this out. */
    getForPromString(): ReturnType<Histogram<T>['get']>;
  }
}

export class ZeroingHistogram<Label extends string> extends Histogram<Label> {
  readonly #configuration: HistogramConfiguration<Label>;
  readonly #zeros: () => Iterable<LabelValues<Label>>;

  /** `zeros` gives the labels of those that are to be there and are not observed yet. */
  constructor(configuration: HistogramConfiguration<Label>, zeros: () => Iterable<LabelValues<Label>>) {
    super(configuration);
    this.#configuration = configuration;
    this.#zeros = zeros;
  }

  override async getForPromString(): ReturnType<Histogram<Label>['get']> {
    const unobserved = new Histogram({ ...this.#configuration, registers: [] });
    for (const labels of this.#zeros()) unobserved.zero(labels);
    // In one step with what is observed: one that is observed in between would be in both.
    const [observed, zeros] = await Promise.all([super.getForPromString(), unobserved.getForPromString()]);
    return { ...observed, values: [...observed.values, ...zeros.values] };
  }
}
