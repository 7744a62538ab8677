import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { HoldQueue, type Place } from './hold-queue.ts';
import { Holdings } from './holdings.ts';

const LIMITS = { maxRequests: 8, maxBytes: 100 };

const step = fc.oneof(
  fc.record({ kind: fc.constant('enter' as const), bytes: fc.nat(40) }),
  fc.record({ kind: fc.constant('enterFirst' as const), bytes: fc.nat(40) }),
  fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }),
  fc.record({ kind: fc.constant('shift' as const) }),
);

test('keeps order, count and bytes whatever enters, leaves and is served', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const holdings = new Holdings({ maxQueuedRequests: 6, maxHeldBytes: 0 });
      const queue = new HoldQueue<number>(holdings);
      const places = new Map<number, Place<number>>();
      let model: { id: number; bytes: number }[] = [];
      for (const [id, one] of steps.entries()) {
        switch (one.kind) {
          case 'enter': {
            const bytes = model.reduce((sum, waiting) => sum + waiting.bytes, 0);
            const full = model.length + 1 > 8 ? 'requests' : bytes + one.bytes > 100 ? 'bytes' : undefined;
            const excess = full ?? (model.length >= 6 ? 'gateway' : undefined);
            expect(queue.excess(one.bytes, LIMITS)).toBe(excess);
            if (excess !== undefined) break;
            places.set(id, queue.enter(id, one.bytes, id));
            model.push({ id, bytes: one.bytes });
            break;
          }
          case 'enterFirst':
            places.set(id, queue.enterFirst(id, one.bytes, id));
            model.unshift({ id, bytes: one.bytes });
            break;
          case 'leave': {
            // Any place there ever was: those that are given up already must not count twice.
            const ids = [...places.keys()];
            const gone = ids[one.which % Math.max(1, ids.length)];
            const place = gone === undefined ? undefined : places.get(gone);
            if (place !== undefined) queue.leave(place);
            model = model.filter((waiting) => waiting.id !== gone);
            break;
          }
          case 'shift':
            expect(queue.shift()).toBe(model.shift()?.id);
        }
        expect(queue.length).toBe(model.length);
        expect(queue.since).toBe(model[0]?.id);
        expect(holdings.queued).toBe(model.length);
        expect(queue.bytes).toBe(model.reduce((sum, waiting) => sum + waiting.bytes, 0));
      }
      const rest: (number | undefined)[] = [];
      while (queue.length > 0) rest.push(queue.shift());
      expect(rest).toEqual(model.map(({ id }) => id));
    }),
  );
});
