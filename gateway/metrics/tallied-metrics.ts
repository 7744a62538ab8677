/** Metrics whose values are tallies kept elsewhere, read when Prometheus asks. */
import {
  Counter,
  Histogram,
  type CounterConfiguration,
  type HistogramConfiguration,
  type LabelValues,
} from 'prom-client';
import type { HistogramTally } from './histogram-tally.ts';

declare module 'prom-client' {
  interface Histogram<T extends string = string> {
    /** What the library makes its text of in the place of `get`; its own types leave this out. */
    getForPromString(): ReturnType<Histogram<T>['get']>;
  }
}

export interface Tallied<Label extends string, Value> {
  readonly labels: LabelValues<Label>;
  readonly value: Value;
}

/** Beside what is counted in it itself. */
export class TalliedCounter<Label extends string> extends Counter<Label> {
  readonly #tallies: () => Iterable<Tallied<Label, number>>;

  constructor(configuration: CounterConfiguration<Label>, tallies: () => Iterable<Tallied<Label, number>>) {
    super(configuration);
    this.#tallies = tallies;
  }

  override async get(): ReturnType<Counter<Label>['get']> {
    const counted = await super.get();
    return { ...counted, values: [...counted.values, ...this.#tallies()] };
  }
}

type HistogramValues<Label extends string> = Awaited<ReturnType<Histogram<Label>['get']>>['values'];

export class TalliedHistogram<Label extends string> extends Histogram<Label> {
  readonly #name: string;
  readonly #tallies: () => Iterable<Tallied<Label, HistogramTally>>;

  /** The bounds are those of the tallies. */
  constructor(
    configuration: Omit<HistogramConfiguration<Label>, 'buckets'>,
    tallies: () => Iterable<Tallied<Label, HistogramTally>>,
  ) {
    super(configuration);
    this.#name = configuration.name;
    this.#tallies = tallies;
  }

  override async getForPromString(): ReturnType<Histogram<Label>['get']> {
    return this.get();
  }

  override async get(): ReturnType<Histogram<Label>['get']> {
    const none = await super.getForPromString();
    return { ...none, values: Array.from(this.#tallies(), (tallied) => this.#values(tallied)).flat() };
  }

  #values({ labels, value: tally }: Tallied<Label, HistogramTally>): HistogramValues<Label> {
    const counts = tally.cumulative();
    const buckets = counts.map((value, at) => ({
      metricName: `${this.#name}_bucket`,
      labels: { le: tally.bounds[at] ?? '+Inf', ...labels },
      value,
    }));
    return [
      ...buckets,
      { metricName: `${this.#name}_sum`, labels, value: tally.sum },
      { metricName: `${this.#name}_count`, labels, value: counts.at(-1) ?? 0 },
    ];
  }
}
