import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_PRIORITY, LOWEST_PRIORITY } from '../inference.ts';
import { AGEING_MILLISECONDS, BatchQueue, type Queued, type Ticket } from './batch-queue.ts';

const entry = (order: number, rows = 1, key = 'a', arrivedAt = 0): Queued => ({
  key,
  rows,
  priority: DEFAULT_PRIORITY,
  order,
  arrivedAt,
});
const loner = (order: number): Queued => ({ ...entry(order), key: undefined });

function queueOf(entries: readonly Queued[], maxBatchSize = 4, maxDelayMilliseconds = 0): BatchQueue<Queued> {
  const queue = new BatchQueue({ maxBatchSize, maxDelayMilliseconds });
  for (const one of entries) queue.push(one);
  return queue;
}

const orders = (batch: readonly Queued[]): number[] => batch.map(({ order }) => order);

describe('BatchQueue', () => {
  test('cuts a batch at the size, in order of arrival', () => {
    const queue = queueOf([entry(0), entry(1, 2), entry(2), entry(3), entry(4)]);
    expect(orders(queue.take(0))).toEqual([0, 1, 2]);
    expect(orders(queue.take(0))).toEqual([3, 4]);
    expect(queue.take(0)).toEqual([]);
    expect(queue.size).toBe(0);
  });

  test('fills up with a small request that fits behind a large one that does not, which goes next', () => {
    const queue = queueOf([entry(0, 2), entry(1, 3), entry(2, 1), entry(3, 1), entry(4, 1)]);
    expect(orders(queue.take(0))).toEqual([0, 2, 3]);
    expect(orders(queue.take(0))).toEqual([1, 4]);
  });

  test('looks no further than a bound for what fits, so that a batch costs the same however long the queue is', () => {
    const queue = queueOf([
      entry(0, 1),
      ...Array.from({ length: 40 }, (_, index) => entry(index + 1, 4)),
      entry(99, 1),
    ]);
    expect(orders(queue.take(0))).toEqual([0]);
  });

  test('takes what is more urgent first, within a batch as well, until the other has waited for longer than the difference is worth', () => {
    const at = (order: number, priority: number, arrivedAt: number): Queued => ({
      ...entry(order, 1, 'a', arrivedAt),
      priority,
    });
    const queue = queueOf([at(0, 3, 0), at(1, 3, 10), at(2, 1, 20), at(3, 2, 30)], 3);
    expect(orders(queue.take(30))).toEqual([2, 3, 0]);
    queue.push(at(4, 1, 10 + 2 * AGEING_MILLISECONDS));
    queue.push(at(5, 1, 9 + 2 * AGEING_MILLISECONDS));
    expect(orders(queue.take(5000))).toEqual([5, 1, 4]);
  });

  test('takes other limits while requests wait', () => {
    const queue = queueOf([entry(0), entry(1), entry(2)], 4, 10);
    expect(queue.take(0)).toEqual([]);
    queue.setLimits({ maxBatchSize: 2, maxDelayMilliseconds: 10 });
    expect(orders(queue.take(0))).toEqual([0, 1]);
    expect(queue.take(0)).toEqual([]);
    queue.setLimits({ maxBatchSize: 2, maxDelayMilliseconds: 0 });
    expect(orders(queue.take(0))).toEqual([2]);
  });

  test('runs a request that is larger than a batch alone', () => {
    const queue = queueOf([entry(0, 9), entry(1)]);
    expect(orders(queue.take(0))).toEqual([0]);
    expect(orders(queue.take(0))).toEqual([1]);
  });

  test('keeps kinds apart and takes the kind of the oldest first', () => {
    const queue = queueOf([entry(0, 1, 'a'), entry(1, 1, 'b'), entry(2, 1, 'a'), loner(3), loner(4)]);
    expect(orders(queue.take(0))).toEqual([0, 2]);
    expect(orders(queue.take(0))).toEqual([1]);
    expect(orders(queue.take(0))).toEqual([3]);
    expect(orders(queue.take(0))).toEqual([4]);
  });

  test('waits for company as long as allowed, unless the batch is full', () => {
    const queue = queueOf([entry(0, 1, 'a', 100)], 2, 10);
    expect(queue.take(105)).toEqual([]);
    expect(queue.dueAt()).toBe(110);
    queue.push(entry(1, 1, 'b', 105));
    queue.push(entry(2, 1, 'b', 106));
    expect(queue.dueAt()).toBeLessThanOrEqual(106);
    expect(orders(queue.take(106))).toEqual([1, 2]);
    expect(orders(queue.take(110))).toEqual([0]);
    expect(queue.dueAt()).toBeUndefined();
  });

  test('takes the most urgent of what waits for no company, whichever became so first', () => {
    const queue = queueOf([{ ...entry(0, 2, 'a'), priority: 8 }, entry(1, 2, 'b'), loner(2)], 2, 1000);
    expect(orders(queue.take(0))).toEqual([1]);
    expect(orders(queue.take(0))).toEqual([2]);
    expect(orders(queue.take(0))).toEqual([0]);
  });

  test('does not let a request wait for company until its deadline has passed', () => {
    const hurried = { ...entry(1, 1, 'b', 5), deadline: 14 };
    const queue = queueOf([entry(0, 1, 'a', 5), { ...entry(2, 1, 'a', 5), deadline: 16 }, hurried], 4, 10);
    expect(queue.dueAt()).toBeLessThanOrEqual(5);
    expect(orders(queue.take(5))).toEqual([1]);
    expect(queue.take(5)).toEqual([]);
    // Whoever goes first of its kind takes it along.
    queue.push({ ...entry(3, 1, 'a', 6), deadline: 7 });
    expect(orders(queue.take(6))).toEqual([0, 2, 3]);
    queue.push({ ...hurried, order: 4 });
    expect(queue.clear()).toHaveLength(1);
    expect(queue.take(6)).toEqual([]);
  });

  test('does not wait for company that can never come', () => {
    expect(orders(queueOf([loner(0)], 4, 1000).take(0))).toEqual([0]);
  });

  test('forgets a request that gave up', () => {
    const queue = queueOf([]);
    const ticket = queue.push(entry(0));
    const other = queue.push(entry(1));
    expect(queue.remove(ticket)).toBe(true);
    expect(queue.remove(ticket)).toBe(false);
    expect(queue.size).toBe(1);
    expect(orders(queue.take(0))).toEqual([1]);
    expect(queue.remove(other)).toBe(false);
  });

  test('takes other limits for all that waits', () => {
    const queue = queueOf([entry(0, 3, 'a'), entry(1, 1, 'b'), loner(2)], 4, 1000);
    queue.setLimits({ maxBatchSize: 3, maxDelayMilliseconds: 1000 });
    expect(orders(queue.take(0))).toEqual([0]);
    expect(orders(queue.take(0))).toEqual([2]);
    expect(queue.take(0)).toEqual([]);
  });

  test('gives back everything when it is cleared', () => {
    const queue = queueOf([entry(0), entry(1, 1, 'b')]);
    expect(orders(queue.clear())).toEqual([0, 1]);
    expect(queue.size).toBe(0);
    expect(queue.take(0)).toEqual([]);
  });

  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        rows: fc.integer({ min: 1, max: 6 }),
        key: fc.constantFrom('a', 'b', undefined),
        priority: fc.integer({ min: 1, max: LOWEST_PRIORITY }),
        later: fc.constantFrom(0, 1, 700, 3000),
      }),
    },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.nat() },
  );

  test('loses nothing, keeps to the size, and lets nobody be passed by more than those that came within its ageing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, maxBatchSize) => {
        const queue = new BatchQueue<Queued>({ maxBatchSize, maxDelayMilliseconds: 0 });
        const waiting: Queued[] = [];
        const tickets = new Map<Queued, Ticket<Queued>>();
        let order = 0;
        let now = 0;
        const take = (): void => {
          const [first, ...others] = queue.take(now);
          if (first === undefined) {
            expect(waiting).toEqual([]);
            return;
          }
          // Whoever heads a run is nobody's to complain about: all that wait are less urgent by more than they are older.
          for (const { arrivedAt, priority } of waiting) {
            const headStart = (priority - first.priority) * AGEING_MILLISECONDS;
            expect(first.arrivedAt - arrivedAt).toBeLessThanOrEqual(headStart);
          }
          expect(others.every(({ key }) => key !== undefined && key === first.key)).toBe(true);
          const rows = others.reduce((sum, one) => sum + one.rows, first.rows);
          expect(others.length === 0 || rows <= maxBatchSize).toBe(true);
          // Nobody of the kind is left out who would fit.
          const kind = waiting.filter((one) => one.key !== undefined && one.key === first.key);
          const left = kind.filter((one) => one !== first && !others.includes(one));
          expect(left.every((one) => rows + one.rows > maxBatchSize)).toBe(true);
          for (const one of [first, ...others]) waiting.splice(waiting.indexOf(one), 1);
        };
        for (const one of steps) {
          if (one === 'take') take();
          else if (typeof one === 'number') {
            const [gone] = waiting.splice(one % (waiting.length || 1), 1);
            if (gone !== undefined) expect(queue.remove(tickets.get(gone)!)).toBe(true);
          } else {
            const { later, ...rest } = one;
            now += later;
            const next = { ...rest, order: order++, arrivedAt: now };
            tickets.set(next, queue.push(next));
            waiting.push(next);
          }
          expect(queue.size).toBe(waiting.length);
        }
        while (waiting.length > 0) take();
        expect(queue.take(now)).toEqual([]);
      }),
    );
  });

  test.each([
    ['large', 4, 'small', 1],
    ['small', 1, 'large', 4],
  ])('a stream of %s requests does not starve a %s one', (_, streamed, __, alone) => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 20, maxLength: 20 }),
        fc.nat(10),
        (arrivals, before) => {
          let order = 0;
          const queue = queueOf(Array.from({ length: before }, () => entry(order++, streamed)));
          const one = entry(order++, alone);
          queue.push(one);
          let runs = 0;
          for (const count of arrivals) {
            for (let index = 0; index < count; index += 1) queue.push(entry(order++, streamed));
            runs += 1;
            if (queue.take(0).includes(one)) break;
          }
          expect(runs).toBeLessThanOrEqual(before + 1);
        },
      ),
    );
  });

  const least = fc.record({
    priority: fc.integer({ min: 2, max: LOWEST_PRIORITY }),
    every: fc.integer({ min: 1, max: 400 }),
  });

  test('a stream of urgent requests does not starve one of any priority', () => {
    fc.assert(
      fc.property(least, ({ priority, every }) => {
        const queue = queueOf([{ ...entry(0), priority }], 1);
        let now = 0;
        let order = 1;
        for (;;) {
          queue.push({ ...entry(order++, 1, 'a', now), priority: 1 });
          if (queue.take(now)[0]?.order === 0) break;
          now += every;
        }
        expect(now).toBeLessThanOrEqual((priority - 1) * AGEING_MILLISECONDS + every);
      }),
    );
  });
});
