import { expect, test } from '@jest/globals';
import type { Announcement } from '../../common/wire/announcement.ts';
import { EarlyAnnouncements } from './early-announcements.ts';

function announcement(uid: string, revision = 'r'): Announcement {
  return { namespace: 'n', revision, pod: `p-${uid}`, uid, host: 'h', ports: { http: 1, control: 2 } };
}

test('hands out those of one revision once', () => {
  const early = new EarlyAnnouncements();
  early.keep(announcement('a'), 0);
  early.keep(announcement('b', 'other'), 0);
  expect(early.take('n', 'r', 1)).toEqual([announcement('a')]);
  expect(early.take('n', 'r', 1)).toEqual([]);
  expect(early.all(1)).toEqual([announcement('b', 'other')]);
});

test('keeps each for a minute from the last time it was said', () => {
  const early = new EarlyAnnouncements();
  early.keep(announcement('a'), 0);
  early.keep(announcement('a'), 30_000);
  expect(early.all(89_999)).toHaveLength(1);
  expect(early.all(90_000)).toHaveLength(0);
});

test('keeps no more than a thousand', () => {
  const early = new EarlyAnnouncements();
  for (let uid = 0; uid < 1_500; uid += 1) early.keep(announcement(String(uid)), 0);
  expect(early.all(1)).toHaveLength(1_000);
});

test('keeps one of a pod, the last, whatever uids it gives itself', () => {
  const early = new EarlyAnnouncements();
  early.keep({ ...announcement('a'), pod: 'p' }, 0);
  early.keep({ ...announcement('b'), pod: 'p' }, 0);
  expect(early.all(1).map(({ uid }) => uid)).toEqual(['b']);
});
