import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { delayed, type DelayWindow } from './delay-window.ts';

test('gives the largest scale of the last intervals of the delay, whatever was wanted', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(fc.record({ step: fc.nat({ max: 10 }), desired: fc.nat({ max: 20 }) }), { minLength: 1 }),
      (delaySeconds, steps) => {
        let window: DelayWindow = [];
        let now = 1000;
        const wanted: { interval: number; desired: number }[] = [];
        for (const { step, desired } of steps) {
          now += step;
          window = delayed(window, desired, delaySeconds, now);
          const interval = Math.floor(now / 2);
          wanted.push({ interval, desired });
          const recent = wanted.filter((entry) => interval - entry.interval < Math.ceil(delaySeconds / 2));
          expect(window[0]?.desired).toBe(Math.max(...recent.map((entry) => entry.desired)));
        }
      },
    ),
  );
});
