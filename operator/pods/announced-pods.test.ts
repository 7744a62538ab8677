import { describe, expect, test } from '@jest/globals';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { Pod } from '../cluster/resources.ts';
import { AnnouncedPods } from './announced-pods.ts';

const announcement: Announcement = {
  namespace: 'models',
  revision: 'digits-00001',
  pod: 'digits-00001-0',
  uid: 'u1',
  host: '10.0.0.7',
  ports: { http: 8080, control: 9091 },
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'digits-00001-0',
    namespace: 'models',
    uid: 'u1',
    labels: { 'pilotlight.dev/revision': 'digits-00001' },
  },
  spec: { containers: [] },
};

describe('an announcement', () => {
  test('is found for the pod it names', () => {
    const announced = new AnnouncedPods();
    expect(announced.add(announcement, 0)).toBe(true);
    expect(announced.of(pod)).toEqual(announcement);
  });

  test.each<[string, Partial<Announcement>]>([
    ['uid', { uid: 'u2' }],
    ['name', { pod: 'digits-00001-1' }],
    ['namespace', { namespace: 'others' }],
    ['revision', { revision: 'digits-00002' }],
  ])('with another %s is not the pod’s', (_name, change) => {
    const announced = new AnnouncedPods();
    announced.add({ ...announcement, ...change }, 0);
    expect(announced.of(pod)).toBeUndefined();
  });

  test('is believed about its host only until the API says where the pod is', () => {
    const announced = new AnnouncedPods();
    announced.add({ ...announcement, host: '10.96.0.1' }, 0);
    expect(announced.of(pod)).toBeDefined();
    const at = (podIP: string): Pod => ({ ...pod, status: { podIP } });
    expect(announced.of(at('10.0.0.7'))).toBeUndefined();
    expect(announced.of(at('10.96.0.1'))).toBeDefined();
  });

  test('that comes again, after a restart in place, replaces the first', () => {
    const announced = new AnnouncedPods();
    announced.add(announcement, 0);
    const again = { ...announcement, ports: { http: 8081, control: 9091 } };
    expect(announced.add(again, 1)).toBe(false);
    expect(announced.of(pod)).toEqual(again);
  });

  test('of a pod that nobody saw is kept for a minute', () => {
    const announced = new AnnouncedPods();
    announced.add(announcement, 0);
    announced.add({ ...announcement, pod: 'digits-00001-1', uid: 'other' }, 59_999);
    expect(announced.of(pod)).toEqual(announcement);

    const forgetful = new AnnouncedPods();
    forgetful.add(announcement, 0);
    forgetful.add({ ...announcement, pod: 'digits-00001-1', uid: 'other' }, 60_000);
    expect(forgetful.of(pod)).toBeUndefined();
  });

  test('of a pod that was seen stays until the pod is gone', () => {
    const announced = new AnnouncedPods();
    announced.add(announcement, 0);
    announced.of(pod);
    announced.add({ ...announcement, uid: 'other' }, 3_600_000);
    expect(announced.of(pod)).toEqual(announcement);
    announced.delete('u1');
    expect(announced.of(pod)).toBeUndefined();
  });

  test('of unseen pods without end does not fill the memory', () => {
    const announced = new AnnouncedPods();
    const taken = Array.from({ length: 10_001 }, (_, index) =>
      announced.add({ ...announcement, pod: `digits-00001-${index}`, uid: `u${index}` }, 0),
    );
    expect(taken.filter(Boolean)).toHaveLength(10_000);
  });

  test('under ever new uids, with one pod’s token, leaves room for other pods', () => {
    const announced = new AnnouncedPods();
    for (let index = 0; index < 20_000; index++) announced.add({ ...announcement, uid: `u${index}` }, 0);
    const other = { ...announcement, pod: 'digits-00001-1', uid: 'other' };
    expect(announced.add(other, 0)).toBe(true);
  });
});
