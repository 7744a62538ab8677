import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import { DemandReporter } from './demand-reporter.ts';

let clock: ManualClock;
let reporter: DemandReporter;
let records: DemandRecord[];

beforeEach(() => {
  clock = new ManualClock();
  reporter = new DemandReporter(
    'boot',
    clock,
    () => [],
    () => [],
  );
  records = [];
  reporter.subscribe((record) => records.push(record));
  records.length = 0;
});

afterEach(() => reporter.close());

/** A request comes for a revision that has no pod. */
function wake(revision: string): void {
  const meter = reporter.ledger.meter('n', revision);
  meter.arrive(clock.monotonic());
  meter.wake(clock.monotonic());
}

function announcement(uid: string): Announcement {
  const ports = { http: 8080, control: 9091 };
  return { namespace: 'n', revision: 'r', pod: uid, uid, host: '10.0.0.1', ports };
}

function revisionsOf({ revisions }: DemandRecord): string[] {
  return revisions.map(({ revision }) => revision);
}

test('the first request and the first pod are told at once', async () => {
  wake('a');
  expect(records.map(revisionsOf)).toEqual([['a']]);
  await clock.advance(10);
  reporter.announce(announcement('u1'));
  expect(records.map(({ announcements }) => announcements.length)).toEqual([0, 1]);
});

test('what follows within 10 ms is told together, and each of it once', async () => {
  wake('a');
  await clock.advance(3);
  wake('b');
  reporter.announce(announcement('u1'));
  await clock.advance(3);
  wake('c');
  reporter.announce(announcement('u2'));
  expect(records).toHaveLength(1);
  await clock.advance(4);
  expect(records.slice(1).map(revisionsOf)).toEqual([['a', 'b', 'c']]);
  expect(records[1]?.announcements.map(({ uid }) => uid)).toEqual(['u1', 'u2']);
  await clock.advance(100);
  expect(records).toHaveLength(2);
});

test('of many that wake one after another, records do not grow with the square', async () => {
  for (let at = 0; at < 1000; at++) {
    wake(`r${at}`);
    await clock.advance(0.5);
  }
  // Half a second: one in 10 ms, and each names 500 on average.
  expect(records.length).toBeLessThanOrEqual(51);
  expect(new Set(records.flatMap(revisionsOf)).size).toBeGreaterThan(980);
});

test('the heartbeat does not wait, and takes along what waits', async () => {
  await clock.advance(995);
  wake('a');
  await clock.advance(2);
  reporter.announce(announcement('u1'));
  await clock.advance(3);
  expect(records.map(({ uptimeSeconds }) => uptimeSeconds)).toEqual([0.995, 1]);
  expect(records[1]?.announcements).toHaveLength(1);
  await clock.advance(10);
  expect(records).toHaveLength(2);
});
