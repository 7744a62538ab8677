import { describe, expect, test } from '@jest/globals';
import { WakeReports } from './wake-reports.ts';

const T0 = 1_767_225_600_000;
const starting = { wokenAt: T0, isReady: false };
const ready = { wokenAt: T0, isReady: true };

describe('a wake', () => {
  test('is not told while its pod starts, for five seconds at most', () => {
    const reports = new WakeReports();
    expect(reports.heldFor('a', starting, T0)).toBe(5000);
    expect(reports.heldFor('a', starting, T0 + 4999)).toBe(1);
    expect(reports.heldFor('a', starting, T0 + 5000)).toBe(0);
  });

  test('is told at once when its pod is ready', () => {
    const reports = new WakeReports();
    reports.heldFor('a', starting, T0);
    expect(reports.heldFor('a', ready, T0 + 400)).toBe(0);
  });

  test('waits for the others that were woken with it', () => {
    const reports = new WakeReports();
    for (const key of ['a', 'b', 'c']) reports.heldFor(key, starting, T0);
    expect(reports.heldFor('a', ready, T0 + 400)).toBe(250);
    expect(reports.heldFor('b', ready, T0 + 410)).toBe(250);
    expect(reports.heldFor('c', ready, T0 + 420)).toBe(0);
    expect(reports.heldFor('a', ready, T0 + 650)).toBe(0);
  });

  test('is told after five seconds, whatever the others do', () => {
    const reports = new WakeReports();
    reports.heldFor('a', starting, T0);
    reports.heldFor('b', { wokenAt: T0 + 4000, isReady: false }, T0 + 4000);
    expect(reports.heldFor('a', ready, T0 + 4900)).toBe(100);
    expect(reports.heldFor('a', ready, T0 + 5000)).toBe(0);
  });

  test.each<[string, (reports: WakeReports) => void]>([
    ['was forgotten', (reports) => reports.forget('b')],
    ['went back to zero', (reports) => void reports.heldFor('b', { wokenAt: undefined, isReady: false }, T0)],
    ['starts for longer than that', () => undefined],
  ])('does not wait for one that %s', (_what, end) => {
    const reports = new WakeReports();
    reports.heldFor('b', { ...starting, wokenAt: T0 - 4999 }, T0);
    end(reports);
    expect(reports.heldFor('a', ready, T0 + 1)).toBe(0);
  });
});

test('a revision at zero is told of at once', () => {
  expect(new WakeReports().heldFor('a', { wokenAt: undefined, isReady: false }, T0)).toBe(0);
});
