import { expect, test } from '@jest/globals';
import { learnWork, NO_WORK, podSecondsPerRequest, type PodWork } from './pod-work.ts';

/** So many looks, 2 s apart, at a load that does not change. */
function after(looks: number, concurrency: number, rate: number, ready: number, from: PodWork = NO_WORK): PodWork {
  let work = from;
  for (let look = 0; look < looks; look++) {
    work = learnWork(work, { seconds: 2, requestSeconds: 2 * concurrency, arrived: 2 * rate }, concurrency, ready);
  }
  return work;
}

test('before anything has ended, a pod answers its target in a second', () => {
  expect(podSecondsPerRequest(NO_WORK, 8)).toBe(1 / 8);
  expect(podSecondsPerRequest(after(1, 100, 50, 0), 8)).toBe(1 / 8);
});

test.each([
  { name: 'that pods are full of: 8 at once, 1 s each', concurrency: 24, rate: 24, ready: 3, want: 1 / 8 },
  { name: 'that a queue of waits, however long', concurrency: 500, rate: 24, ready: 3, want: 1 / 8 },
  { name: 'of which a pod has one at a time', concurrency: 0.5, rate: 1, ready: 3, want: 0.5 },
])('requests $name', ({ concurrency, rate, ready, want }) => {
  expect(podSecondsPerRequest(after(500, concurrency, rate, ready), 8)).toBeCloseTo(want, 1);
});

test('a pod that has not answered yet is known to be slower with each look', () => {
  const estimates = [1, 2, 5].map((looks) =>
    podSecondsPerRequest(after(looks, 40, 0, 1, { ...NO_WORK, present: 40, readyReplicas: 1, readyBefore: 1 }), 8),
  );
  expect(estimates).toEqual([3 / 8, expect.closeTo(0.62, 2), expect.closeTo(1.32, 2)]);
});

test('what changed is followed', () => {
  const fast = after(500, 24, 24, 3);
  expect(podSecondsPerRequest(after(200, 24, 12, 3, fast), 8)).toBeCloseTo(1 / 4, 1);
});
