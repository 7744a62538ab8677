/** Round numbers for an axis. Pure. */

export interface Axis {
  /** The end of the axis, at or above the largest value. */
  readonly end: number;
  readonly ticks: readonly number[];
}

/** Less is nothing: an axis of nothing ends at 1. */
const LEAST = 1e-6;

/** From 0 in steps of 1, 2 or 5 times a power of ten, about `count` of them; steps are at least `least`. */
export function axis(most: number, count: number, least = 0): Axis {
  const rough = (most < LEAST ? 1 : most) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough) ?? 1);
  const end = Math.max(1, Math.ceil(most / step - 1e-9)) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)),
  );
  return { end, ticks };
}

export interface TimeUnit {
  readonly name: string;
  readonly seconds: number;
}

/** The unit in which an axis of so many seconds has small numbers. */
export function timeUnit(seconds: number): TimeUnit {
  if (seconds <= 600) return { name: 's', seconds: 1 };
  if (seconds <= 6 * 3600) return { name: 'min', seconds: 60 };
  return { name: 'h', seconds: 3600 };
}
