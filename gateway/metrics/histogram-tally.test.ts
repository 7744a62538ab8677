import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HistogramTally } from './histogram-tally.ts';

const BOUNDS = [0.005, 0.1, 1, 10];

test('counts for each bound the values that are not above it, whatever they are and however they come', () => {
  const value = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constantFrom(...BOUNDS));
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const tally = new HistogramTally(BOUNDS);
      for (const each of values) tally.observe(each);
      const notAbove = [...BOUNDS, Infinity].map((bound) => values.filter((each) => each <= bound).length);
      expect(tally.cumulative()).toEqual(notAbove);
      expect(tally.sum).toBe(values.reduce((sum, each) => sum + each, 0));
      expect(tally.isEmpty).toBe(values.length === 0);
    }),
  );
});
