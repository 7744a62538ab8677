import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EventClock } from './event-clock.ts';

test('things happen in the order of their times, those of one moment as they were asked for, and cancelled ones not at all', () => {
  const asked = fc.record({ at: fc.nat(20), cancelled: fc.boolean() });
  fc.assert(
    fc.property(fc.array(asked), (list) => {
      const clock = new EventClock();
      const happened: { at: number; index: number }[] = [];
      const cancels = list.map(({ at }, index) =>
        clock.after(at, () => happened.push({ at: clock.monotonic(), index })),
      );
      for (const [index, { cancelled }] of list.entries()) if (cancelled) cancels[index]?.();
      while (clock.step(15));
      const want = list
        .map(({ at, cancelled }, index) => ({ at, index, cancelled }))
        .filter(({ at, cancelled }) => at <= 15 && !cancelled)
        .sort((a, b) => a.at - b.at || a.index - b.index)
        .map(({ at, index }) => ({ at, index }));
      expect(happened).toEqual(want);
    }),
  );
});

test('what happens can ask for more, in no time too', () => {
  const clock = new EventClock();
  const times: number[] = [];
  const again = (): void => {
    times.push(clock.now());
    if (times.length < 4) clock.after(times.length === 2 ? 0 : 5, again);
  };
  again();
  while (clock.step(Infinity));
  expect(times).toEqual([0, 5, 5, 10]);
});
