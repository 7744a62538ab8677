/** A histogram in Prometheus' text, as far as a benchmark asks: what was counted between two readings, and its quantiles. Pure. */

/** Counts of values up to each bound, smaller ones included; the last bound is Infinity. */
export type Buckets = ReadonlyMap<number, number>;

/** Of the series without labels of its own; empty if the text has none. */
export function parseBuckets(text: string, name: string): Buckets {
  const lines = text.matchAll(new RegExp(`^${name}_bucket\\{le="([^"]+)"\\} (\\S+)$`, 'gm'));
  return new Map([...lines].map(([, bound, count]) => [bound === '+Inf' ? Infinity : Number(bound), Number(count)]));
}

export function addBuckets(all: readonly Buckets[]): Buckets {
  const sum = new Map<number, number>();
  for (const [bound, count] of all.flatMap((buckets) => [...buckets])) sum.set(bound, (sum.get(bound) ?? 0) + count);
  return sum;
}

export function subtractBuckets(after: Buckets, before: Buckets): Buckets {
  return new Map([...after].map(([bound, count]) => [bound, count - (before.get(bound) ?? 0)]));
}

export function countOf(buckets: Buckets): number {
  return buckets.get(Infinity) ?? 0;
}

/** As histogram_quantile of Prometheus: linear within a bucket; of the last one its lower bound. NaN if nothing was counted. */
export function quantileOf(buckets: Buckets, share: number): number {
  const rank = countOf(buckets) * share;
  let [lower, below] = [0, 0];
  for (const [bound, count] of [...buckets].sort(([a], [b]) => a - b)) {
    if (count >= rank && count > below) {
      return bound === Infinity ? lower : lower + ((bound - lower) * (rank - below)) / (count - below);
    }
    [lower, below] = [bound, count];
  }
  return Number.NaN;
}
