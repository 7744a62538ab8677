import { expect, test } from '@jest/globals';
import { BarredPods } from './barred-pods.ts';

test('bars a pod for 10 minutes from the last time', () => {
  const barred = new BarredPods();
  barred.bar('a', 0);
  barred.bar('a', 1_000);
  expect(barred.isBarred('a', 600_999)).toBe(true);
  expect(barred.isBarred('a', 601_000)).toBe(false);
});

test('forgets the oldest beyond its bound, so that it cannot grow without end', () => {
  const barred = new BarredPods();
  for (let uid = 0; uid <= 10_000; uid += 1) barred.bar(String(uid), 0);
  expect([barred.isBarred('0', 1), barred.isBarred('1', 1), barred.isBarred('10000', 1)]).toEqual([false, true, true]);
});

test('believes routes that list the pod again', () => {
  const barred = new BarredPods();
  barred.bar('a', 0);
  barred.lift('a');
  expect(barred.isBarred('a', 1)).toBe(false);
});
