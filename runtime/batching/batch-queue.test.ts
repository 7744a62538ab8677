import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BatchQueue, type Queued } from './batch-queue.ts';

const entry = (order: number, rows = 1, key = 'a', arrivedAt = 0): Queued => ({ key, rows, order, arrivedAt });
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

  test('does not let a small request pass a large one of its kind', () => {
    const queue = queueOf([entry(0, 2), entry(1, 3), entry(2, 1)]);
    expect(orders(queue.take(0))).toEqual([0]);
    expect(orders(queue.take(0))).toEqual([1, 2]);
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
    expect(orders(queue.take(106))).toEqual([1, 2]);
    expect(orders(queue.take(110))).toEqual([0]);
    expect(queue.dueAt()).toBeUndefined();
  });

  test('does not wait for company that can never come', () => {
    expect(orders(queueOf([loner(0)], 4, 1000).take(0))).toEqual([0]);
  });

  test('forgets a request that gave up', () => {
    const [first, second] = [entry(0), entry(1)];
    const queue = queueOf([first, second]);
    expect(queue.remove(first)).toBe(true);
    expect(queue.remove(first)).toBe(false);
    expect(queue.size).toBe(1);
    expect(orders(queue.take(0))).toEqual([1]);
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
      arbitrary: fc.record({ rows: fc.integer({ min: 1, max: 6 }), key: fc.constantFrom('a', 'b', undefined) }),
    },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.nat() },
  );

  test('loses nothing, keeps order within a kind, and starves nobody', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, maxBatchSize) => {
        const queue = new BatchQueue<Queued>({ maxBatchSize, maxDelayMilliseconds: 0 });
        const waiting: Queued[] = [];
        let order = 0;
        const take = (): void => {
          const oldest = waiting[0];
          const batch = queue.take(0);
          const [first] = batch;
          // The oldest is always in the next batch: nobody can wait for more runs than there were requests before it.
          expect(first).toBe(oldest);
          if (first === undefined) return;
          const kind = waiting.filter((one) => (first.key === undefined ? one === first : one.key === first.key));
          expect(batch).toEqual(kind.slice(0, batch.length));
          const rows = batch.reduce((sum, one) => sum + one.rows, 0);
          expect(batch.length === 1 || rows <= maxBatchSize).toBe(true);
          for (const one of batch) waiting.splice(waiting.indexOf(one), 1);
        };
        for (const one of steps) {
          if (one === 'take') take();
          else if (typeof one === 'number') {
            const [gone] = waiting.splice(one % (waiting.length || 1), 1);
            if (gone !== undefined) expect(queue.remove(gone)).toBe(true);
          } else {
            const next = { ...one, order: order++, arrivedAt: 0 };
            queue.push(next);
            waiting.push(next);
          }
          expect(queue.size).toBe(waiting.length);
        }
        while (waiting.length > 0) take();
        expect(queue.take(0)).toEqual([]);
      }),
    );
  });
});
