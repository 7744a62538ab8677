import { expect, test } from '@jest/globals';
import { arrivalRate } from './arrival-rate.ts';
import { BucketRing } from './bucket-ring.ts';

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

test.each<{ name: string; seconds: readonly number[]; want: number }>([
  { name: 'nothing', seconds: [], want: 0 },
  { name: 'a burst that has just come', seconds: [100], want: 0 },
  { name: 'a burst over two seconds', seconds: [60, 40], want: 0 },
  { name: 'a burst some seconds ago', seconds: [60, 40, ...zeros(9)], want: 0 },
  { name: 'a load that began three seconds ago', seconds: [50, 50, 50], want: 50 },
  { name: 'a load that began in the middle of a second', seconds: [10, 50, 50, 50], want: 50 },
  { name: 'a load that rose', seconds: [...Array.from({ length: 57 }, () => 20), 40, 40, 40], want: 40 },
  { name: 'a steady load', seconds: Array.from({ length: 60 }, () => 20), want: 20 },
  { name: 'a load that ended', seconds: [...Array.from({ length: 32 }, () => 29), ...zeros(28)], want: 15 },
  {
    name: 'a request now and then',
    seconds: Array.from({ length: 60 }, (_, second) => (second % 4 === 0 ? 1 : 0)),
    want: 13 / 58,
  },
])('of $name', ({ seconds, want }) => {
  const ring = new BucketRing(60);
  for (const [second, value] of seconds.entries()) ring.record(100 + second, value);
  expect(arrivalRate(ring, 99 + seconds.length)).toBeCloseTo(want, 9);
});
