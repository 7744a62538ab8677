import { beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { eventRecorder, type EventRecorder } from './events.ts';
import { ClusterError, type Cluster, type KubernetesObject } from './port.ts';
import type { Event } from './resources.ts';

const ABOUT: KubernetesObject = {
  apiVersion: 'pilotlight.dev/v1alpha1',
  kind: 'ModelFunction',
  metadata: { namespace: 'default', name: 'digits', uid: 'uid-digits' },
};

let clock: ManualClock;
let recorder: EventRecorder;
let written: { readonly verb: string; readonly event: Event }[];
let fail: (verb: string) => ClusterError | undefined;

beforeEach(() => {
  clock = new ManualClock(Date.UTC(2026, 0, 1));
  written = [];
  fail = () => undefined;
  let calls = 0;
  const write = (verb: string, event: Event): Promise<Event> => {
    const error = fail(verb);
    if (error !== undefined) return Promise.reject(error);
    written.push({ verb, event });
    return Promise.resolve({ ...event, metadata: { ...event.metadata, resourceVersion: String(++calls) } });
  };
  const cluster = {
    create: (_resource: unknown, event: Event) => write('create', event),
    update: (_resource: unknown, event: Event) => write('update', event),
  } as unknown as Pick<Cluster, 'create' | 'update'>;
  let randoms = 0;
  const random = (): number => ++randoms / 1000;
  const logger = createLogger('test', 'silent');
  recorder = eventRecorder({ cluster, component: 'pilotlight-operator', clock, logger, random });
});

async function record(message = 'Created pod digits-00001-0', about = ABOUT): Promise<void> {
  recorder.record(about, 'Normal', 'PodCreated', message);
  await recorder.flush();
}

const summary = (): string[] => written.map(({ verb, event }) => `${verb} ${event.count} ${event.message}`);

test('an event names its object, its reporter and its time', async () => {
  await record();
  expect(written).toEqual([
    {
      verb: 'create',
      event: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'default', name: expect.stringMatching(/^digits\.[0-9a-f]{12}$/) },
        involvedObject: {
          apiVersion: ABOUT.apiVersion,
          kind: 'ModelFunction',
          namespace: 'default',
          name: 'digits',
          uid: 'uid-digits',
        },
        type: 'Normal',
        reason: 'PodCreated',
        message: 'Created pod digits-00001-0',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        source: { component: 'pilotlight-operator' },
      },
    },
  ]);
});

describe('a repeated event', () => {
  test('is counted up in place, and written at most every 10 s', async () => {
    await record();
    for (let i = 0; i < 19; i++) {
      await clock.advance(1000);
      await record();
    }
    await clock.advance(1000);
    await record();
    expect(summary()).toEqual([
      'create 1 Created pod digits-00001-0',
      'update 11 Created pod digits-00001-0',
      'update 21 Created pod digits-00001-0',
    ]);
    expect(written.at(-1)?.event).toMatchObject({
      metadata: { name: written[0]?.event.metadata.name, resourceVersion: '2' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:20Z',
    });
  });

  test('is a new one after the window', async () => {
    await record();
    await clock.advance(10 * 60_000);
    await record();
    expect(summary()).toEqual(['create 1 Created pod digits-00001-0', 'create 1 Created pod digits-00001-0']);
    expect(written[0]?.event.metadata.name).not.toBe(written[1]?.event.metadata.name);
  });

  test.each(['NotFound', 'Conflict'] as const)('is made anew when its update is %s', async (reason) => {
    await record();
    await clock.advance(10_000);
    fail = (verb) => (verb === 'update' ? new ClusterError(reason, reason) : undefined);
    await record();
    expect(summary()).toEqual(['create 1 Created pod digits-00001-0', 'create 2 Created pod digits-00001-0']);
    expect(written[1]?.event.metadata).not.toHaveProperty('resourceVersion');
  });

  test('of another object, message or incarnation is another', async () => {
    await record('one');
    await record('two');
    await record('one', { ...ABOUT, metadata: { ...ABOUT.metadata, name: 'other' } });
    await record('one', { ...ABOUT, metadata: { ...ABOUT.metadata, uid: 'later' } });
    expect(summary()).toEqual(['create 1 one', 'create 1 two', 'create 1 one', 'create 1 one']);
  });
});

test('an event that cannot be written fails nobody, and is tried again when it is repeated', async () => {
  fail = () => new ClusterError('Unavailable', 'down');
  await record();
  fail = () => undefined;
  await clock.advance(10_000);
  await record();
  expect(summary()).toEqual(['create 2 Created pod digits-00001-0']);
});

test.each([
  ['ascii', 'x'.repeat(2000)],
  ['many bytes a character', 'ü€😀'.repeat(400)],
  ['a shift of one', `x${'ü€😀'.repeat(400)}`],
  ['a shift of two', `xx${'ü€😀'.repeat(400)}`],
])('a long message is cut at 1024 bytes, between characters: %s', async (_name, message) => {
  await record(message);
  const cut = written[0]?.event.message ?? '';
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(1024);
  expect(Buffer.byteLength(cut)).toBeGreaterThan(1016);
  expect(message.startsWith(cut.slice(0, -1))).toBe(true);
  expect(cut.endsWith('…')).toBe(true);
});

test('a flood is bounded: only so many wait, and only so many are remembered', async () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let creates = 0;
  const cluster = {
    create: async (_resource: unknown, event: Event) => {
      creates++;
      await gate;
      return event;
    },
  } as unknown as Pick<Cluster, 'create' | 'update'>;
  const flooded = eventRecorder({
    cluster,
    component: 'test',
    clock,
    logger: createLogger('test', 'silent'),
    random: () => 0.5,
  });
  for (let i = 0; i < 5000; i++) flooded.record(ABOUT, 'Warning', 'Flood', String(i));
  release();
  await flooded.flush();
  expect(creates).toBe(201);
});
