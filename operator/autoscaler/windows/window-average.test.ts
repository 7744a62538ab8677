import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BucketRing } from './bucket-ring.ts';
import { linearAverage, weightedAverage } from './window-average.ts';

interface Write {
  readonly second: number;
  readonly value: number;
}

/** Writes as they come in practice: time moves on, with gaps, and some values arrive late. */
const writes = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 30 })),
      late: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 30 })),
      value: fc.integer({ min: 0, max: 1000 }),
    }),
    { minLength: 1, maxLength: 60 },
  )
  .map((steps) => {
    let now = 100;
    return steps.map(({ step, late, value }): Write => {
      now += step;
      return { second: now - late, value };
    });
  });

function ringOf(length: number, list: readonly Write[]): BucketRing {
  const ring = new BucketRing(length);
  for (const { second, value } of list) ring.record(second, value);
  return ring;
}

/** The definition, computed from all writes: what counts, and over how many seconds. */
function expectedLinear(length: number, list: readonly Write[], now: number): number {
  let first = Infinity;
  let last = -Infinity;
  let counted: Write[] = [];
  for (const write of list) {
    if (write.second - last >= length) {
      counted = [];
      first = write.second;
    }
    if (last - write.second >= length) continue;
    last = Math.max(last, write.second);
    first = Math.min(first, write.second);
    counted.push(write);
  }
  if (now - last >= length) return 0;
  const end = Math.max(now, last);
  const sum = counted.filter(({ second }) => second > end - length).reduce((total, { value }) => total + value, 0);
  return sum / Math.min(last - first + 1, length - (end - last));
}

describe('the plain average', () => {
  test('is the sum of the window over its valid seconds, whatever comes late or not at all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), writes, fc.nat({ max: 70 }), (length, list, after) => {
        const ring = ringOf(length, list);
        const now = (ring.last ?? 0) + after;
        expect(Math.abs(linearAverage(ring, now) - expectedLinear(length, list, now))).toBeLessThanOrEqual(1.001e-6);
      }),
    );
  });

  test.each<{ name: string; list: Write[]; now: number; want: number }>([
    { name: 'nothing', list: [], now: 9, want: 0 },
    { name: 'the first second alone', list: [{ second: 5, value: 7 }], now: 5, want: 7 },
    {
      name: 'a partial window',
      list: [
        { second: 5, value: 4 },
        { second: 8, value: 4 },
      ],
      now: 8,
      want: 2,
    },
    {
      name: 'a full window',
      list: [
        { second: 0, value: 6 },
        { second: 9, value: 4 },
      ],
      now: 9,
      want: 1,
    },
    {
      name: 'a value that has left',
      list: [
        { second: 0, value: 6 },
        { second: 10, value: 4 },
      ],
      now: 10,
      want: 4,
    },
    {
      name: 'silence since, without the silent seconds',
      list: [
        { second: 0, value: 6 },
        { second: 5, value: 6 },
      ],
      now: 8,
      want: 2,
    },
    { name: 'a whole window of silence', list: [{ second: 5, value: 4 }], now: 15, want: 0 },
    {
      name: 'a third, cut after 6 digits',
      list: [
        { second: 0, value: 2 },
        { second: 2, value: 0 },
      ],
      now: 2,
      want: 0.666666,
    },
  ])('of a 10 s window with $name is $want', ({ list, now, want }) => {
    expect(linearAverage(ringOf(10, list), now)).toBe(want);
  });

  test('begins a new partial window when demand returns after a window of silence', () => {
    expect(
      linearAverage(
        ringOf(10, [
          { second: 0, value: 5 },
          { second: 30, value: 8 },
        ]),
        30,
      ),
    ).toBe(8);
  });
});

describe('the weighted average', () => {
  test('of a constant load over a full window is that load, but for 1 in 10,000', () => {
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 600 }), fc.integer({ min: 1, max: 1000 }), (length, load) => {
        const list = Array.from({ length }, (_, second) => ({ second, value: load }));
        const average = weightedAverage(ringOf(length, list), length - 1);
        expect(average).toBeLessThanOrEqual(load * 1.000001);
        expect(average).toBeGreaterThanOrEqual(load * 0.9998);
      }),
    );
  });

  test('forgets by a fifth each second of a 60 s window', () => {
    const ring = ringOf(60, [{ second: 100, value: 10 }]);
    expect([100, 101, 102, 160, 161].map((now) => weightedAverage(ring, now))).toEqual([
      expect.closeTo(2, 9),
      expect.closeTo(1.6, 9),
      expect.closeTo(1.28, 9),
      0,
      0,
    ]);
  });
});

describe('BucketRing', () => {
  test('is empty before the first write, and once more than its length has passed since the last', () => {
    const ring = new BucketRing(6);
    expect(ring.isEmpty(0)).toBe(true);
    ring.record(10, 0);
    expect([10, 16, 17].map((second) => ring.isEmpty(second))).toEqual([false, false, true]);
  });

  test('keeps the newest seconds when it is resized, and stays partial when it grows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), writes, (before, after, list) => {
        const ring = ringOf(before, list);
        const last = ring.last ?? 0;
        const kept = Array.from({ length: Math.min(before, after) }, (_, back) => ring.at(last - back));
        ring.resize(after);
        expect(kept.map((_, back) => ring.at(last - back))).toEqual(kept);
        expect(ring.total).toBeCloseTo(kept.reduce((sum, value) => sum + value, 0));
        expect(Math.min(last - (ring.first ?? 0) + 1, after)).toBeLessThanOrEqual(before);
      }),
    );
  });
});
