import { expect, test } from '@jest/globals';
import { addBuckets, countOf, parseBuckets, quantileOf, subtractBuckets, type Buckets } from './histogram.ts';

const TEXT = `# HELP wake_seconds Time.
# TYPE wake_seconds histogram
wake_seconds_bucket{le="0.01"} 4
wake_seconds_bucket{le="0.03"} 9
wake_seconds_bucket{le="+Inf"} 10
wake_seconds_sum 0.4
wake_seconds_count 10
other_wake_seconds_bucket{le="0.01"} 7
`;
const buckets = (small: number, middle: number, all: number): Buckets =>
  new Map([
    [0.01, small],
    [0.03, middle],
    [Infinity, all],
  ]);

test('buckets are read by the name of the histogram, and there are none of one that is not there', () => {
  expect(parseBuckets(TEXT, 'wake_seconds')).toEqual(buckets(4, 9, 10));
  expect(parseBuckets(TEXT, 'sleep_seconds')).toEqual(new Map());
});

test('readings of several processes add up, also where one has counted nothing yet', () => {
  expect(addBuckets([buckets(4, 9, 10), new Map(), buckets(1, 1, 2)])).toEqual(buckets(5, 10, 12));
});

test('what was counted before is taken away, and a process without buckets before had counted nothing', () => {
  expect(subtractBuckets(buckets(4, 9, 10), buckets(1, 3, 3))).toEqual(buckets(3, 6, 7));
  expect(subtractBuckets(buckets(4, 9, 10), new Map())).toEqual(buckets(4, 9, 10));
});

test('a quantile lies where Prometheus puts it: linearly between the bounds of its bucket', () => {
  // The 7th of 10 is the 3rd of the 5 between 0.01 and 0.03.
  expect(quantileOf(buckets(4, 9, 10), 0.7)).toBeCloseTo(0.022, 10);
  expect(quantileOf(buckets(4, 9, 10), 0.2)).toBeCloseTo(0.005, 10);
});

test('a quantile beyond the last bound is that bound, of which alone something is known', () => {
  expect(quantileOf(buckets(4, 9, 10), 0.99)).toBe(0.03);
});

test('nothing counted has no quantile', () => {
  expect(countOf(buckets(0, 0, 0))).toBe(0);
  expect(quantileOf(buckets(0, 0, 0), 0.5)).toBeNaN();
});
