import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

/** A queue whose runs end when the test says so. */
function startQueue(options: Partial<WorkQueueOptions> = {}) {
  const clock = new ManualClock();
  const begun: string[] = [];
  const errors: number[] = [];
  const ends = new Map<string, PromiseWithResolvers<number | undefined>>();
  const queue = new WorkQueue({
    clock,
    random: () => 1,
    concurrency: 2,
    firstRetry: 100,
    longestRetry: 1000,
    onError: (_key, _error, retry) => errors.push(retry),
    process: (key) => {
      begun.push(key);
      const end = Promise.withResolvers<number | undefined>();
      ends.set(key, end);
      return end.promise;
    },
    ...options,
  });
  const finish = async (key: string, again?: number): Promise<void> => {
    ends.get(key)?.resolve(again);
    await clock.advance(0);
  };
  const fail = async (key: string): Promise<void> => {
    ends.get(key)?.reject(new Error('refused'));
    await clock.advance(0);
  };
  return { clock, begun, errors, queue, finish, fail };
}

describe('a work queue', () => {
  test('runs a key that was added many times once, and again if it was added while it ran', async () => {
    const { queue, begun, clock, finish } = startQueue();
    queue.add('a');
    queue.add('a');
    await clock.advance(0);
    expect(begun).toEqual(['a']);
    queue.add('a');
    queue.add('a');
    await clock.advance(0);
    expect(begun).toEqual(['a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
  });

  test('runs at most `concurrency` keys at once, in the order of their arrival', async () => {
    const { queue, begun, clock, finish } = startQueue();
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b']);
    expect(queue.depth).toBe(2);
    await finish('b');
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  test('runs an urgent key at once, though as many run as may, and never beside itself', async () => {
    const { queue, begun, clock, finish } = startQueue();
    for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
    queue.add('d', true);
    queue.add('a', true);
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b', 'd']);
    await finish('a');
    expect(begun).toEqual(['a', 'b', 'd', 'a']);
    await finish('a');
    await finish('b');
    await finish('d');
    expect(begun).toEqual(['a', 'b', 'd', 'a', 'c']);
  });

  test('lets another key pass one that is running and was added again', async () => {
    const { queue, begun, clock } = startQueue();
    queue.add('a');
    await clock.advance(0);
    queue.add('a');
    queue.add('b');
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b']);
  });

  test('retries a key that failed with growing, capped back-off, and forgets the failures on success', async () => {
    const { queue, errors, clock, fail, finish, begun } = startQueue();
    queue.add('a');
    await clock.advance(0);
    for (const delay of [100, 200, 400, 800, 1000]) {
      await fail('a');
      await clock.advance(delay);
    }
    expect(errors).toEqual([100, 200, 400, 800, 1000]);
    await finish('a');
    queue.add('a');
    await clock.advance(0);
    await fail('a');
    expect(errors.at(-1)).toBe(100);
    expect(begun).toHaveLength(7);
  });

  test('waits at least half of the back-off whatever the dice say', async () => {
    const { queue, errors, clock, fail } = startQueue({ random: () => 0 });
    queue.add('a');
    await clock.advance(0);
    await fail('a');
    expect(errors).toEqual([50]);
  });

  test('waits as long as what was thrown asks for, within the cap', async () => {
    let wish = 700;
    const { queue, errors, fail } = startQueue({ retryBounds: () => ({ least: wish }) });
    queue.add('a');
    await Promise.resolve();
    await fail('a');
    wish = 5000;
    queue.add('a');
    await Promise.resolve();
    await fail('a');
    expect(errors).toEqual([700, 1000]);
  });

  test('waits no longer than what was thrown is worth, however often it was', async () => {
    const { queue, errors, fail, clock } = startQueue({ retryBounds: () => ({ longest: 300 }) });
    queue.add('a');
    for (let failure = 0; failure < 4; failure++) {
      await clock.advance(300);
      await fail('a');
    }
    expect(errors).toEqual([100, 200, 300, 300]);
  });

  test('does not wait for the back-off when the key is added anew', async () => {
    const { queue, begun, clock, fail } = startQueue();
    queue.add('a');
    await clock.advance(0);
    await fail('a');
    queue.add('a');
    await clock.advance(0);
    expect(begun).toEqual(['a', 'a']);
    expect(clock.pending).toBe(0);
  });

  test('keeps the earliest of several planned runs', async () => {
    const { queue, begun, clock } = startQueue();
    queue.addAfter('a', 500);
    queue.addAfter('a', 200);
    queue.addAfter('a', 900);
    await clock.advance(199);
    expect(begun).toEqual([]);
    await clock.advance(1);
    expect(begun).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });

  test('runs a key again after the milliseconds that its run gave', async () => {
    const { queue, begun, clock, finish } = startQueue();
    queue.add('a');
    await clock.advance(0);
    await finish('a', 300);
    await clock.advance(300);
    expect(begun).toEqual(['a', 'a']);
  });

  test('starts nothing after it was closed, and closes when what runs has ended', async () => {
    const { queue, begun, clock, finish } = startQueue({ concurrency: 1 });
    queue.add('a');
    queue.add('b');
    queue.addAfter('c', 10);
    await clock.advance(0);
    let closed = false;
    const closing = queue.close().then(() => {
      closed = true;
    });
    queue.add('d');
    await clock.advance(100);
    expect(closed).toBe(false);
    await finish('a', 50);
    await closing;
    await clock.advance(100);
    expect(begun).toEqual(['a']);
    expect(clock.pending).toBe(0);
  });

  test('never runs a key beside itself, and runs every key after its last addition', async () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), key }),
      fc.record({ do: fc.constant('finish' as const), key }),
      fc.record({ do: fc.constant('fail' as const), key }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const running = new Map<string, PromiseWithResolvers<number | undefined>>();
        const stale = new Set<string>();
        let overlap = false;
        const clock = new ManualClock();
        const queue = new WorkQueue({
          clock,
          random: () => 0,
          concurrency: 2,
          onError: () => undefined,
          process: (name) => {
            overlap ||= running.has(name) || running.size >= 2;
            stale.delete(name);
            const end = Promise.withResolvers<number | undefined>();
            running.set(name, end);
            return end.promise;
          },
        });
        const end = (name: string, how: 'resolve' | 'reject'): void => {
          const run = running.get(name);
          running.delete(name);
          if (how === 'resolve') run?.resolve(undefined);
          else run?.reject(new Error('refused'));
        };
        for (const action of steps) {
          if (action.do === 'add') {
            stale.add(action.key);
            queue.add(action.key);
          } else end(action.key, action.do === 'finish' ? 'resolve' : 'reject');
          await clock.advance(0);
        }
        while (running.size > 0 || clock.pending > 0) {
          for (const name of [...running.keys()]) end(name, 'resolve');
          await clock.advance(60_000);
        }
        await queue.close();
        expect(overlap).toBe(false);
        expect([...stale]).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});
