import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { HoldQueue, Place } from './hold-queue.ts';
import { Holdings } from './holdings.ts';

const step = fc.oneof(
  fc.record({
    kind: fc.constant('enter' as const),
    bytes: fc.nat(40),
    since: fc.nat(20),
    isGuest: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('enterFirst' as const), bytes: fc.nat(40), since: fc.nat(20), isGuest: fc.boolean() }),
  fc.record({ kind: fc.constant('grow' as const), which: fc.nat(), bytes: fc.nat(40) }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }),
);

test('keeps order, count and bytes whatever enters, grows and leaves; guests count for nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const holdings = new Holdings({ maxQueuedRequests: 6, maxHeldBytes: 0 });
      const queue = new HoldQueue<number>(holdings);
      const all: Place<number>[] = [];
      let model: Place<number>[] = [];
      for (const [id, one] of steps.entries()) {
        switch (one.kind) {
          case 'enter':
          case 'enterFirst': {
            const place = new Place(id, one.bytes, one.since, one.isGuest);
            all.push(place);
            if (one.kind === 'enterFirst') model.unshift(place);
            else model.splice(model.findLastIndex(({ since }) => since <= one.since) + 1, 0, place);
            queue[one.kind](place);
            break;
          }
          // Any place there ever was: those that are given up already must not count twice.
          case 'grow': {
            const place = all[one.which % Math.max(1, all.length)];
            if (place?.isGuest === false) queue.grow(place, one.bytes);
            break;
          }
          case 'leave': {
            const place = all[one.which % Math.max(1, all.length)];
            if (place !== undefined) queue.leave(place);
            model = model.filter((waiting) => waiting !== place);
          }
        }
        const own = model.filter(({ isGuest }) => !isGuest);
        expect(queue.length).toBe(own.length);
        expect(holdings.queued).toBe(own.length);
        expect(queue.bytes).toBe(own.reduce((sum, waiting) => sum + waiting.bytes, 0));
        expect(queue.since).toBe(model[0]?.since);
        expect(queue.isEmpty).toBe(model.length === 0);
        expect(queue.places().map(({ waiter }) => waiter)).toEqual(model.map(({ waiter }) => waiter));
      }
    }),
  );
});
