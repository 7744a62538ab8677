import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { systemClock } from './clock.ts';

const DAY = 86_400_000;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

test.each([1, 25 * DAY, 100 * DAY])('calls back once after %i ms, and not before', (milliseconds) => {
  const callback = jest.fn();
  systemClock.after(milliseconds, callback);
  jest.advanceTimersByTime(milliseconds - 1);
  expect(callback).not.toHaveBeenCalled();
  jest.advanceTimersByTime(100 * DAY);
  expect(callback).toHaveBeenCalledTimes(1);
});

test('does not call back for a time that never comes, nor once cancelled', () => {
  const callback = jest.fn();
  const cancels = [Infinity, 100 * DAY].map((milliseconds) => systemClock.after(milliseconds, callback));
  jest.advanceTimersByTime(30 * DAY);
  for (const cancel of cancels) cancel();
  expect(jest.getTimerCount()).toBe(0);
  expect(callback).not.toHaveBeenCalled();
});
