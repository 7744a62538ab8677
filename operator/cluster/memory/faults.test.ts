import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ManualClock } from '../../../common/platform/manual-clock.ts';
import { ClusterError, isClusterError, type WatchEvent } from '../port.ts';
import { PODS, SECRETS, type Secret } from '../resources.ts';
import type { DeliveryFault, Faults } from './faults.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { seededRandom, testCluster, testPod, testSecret } from './test-cluster.ts';

const KEY = { namespace: 'default', name: 'a' };

describe('a watch', () => {
  test('sees late what is delayed, and nothing overtakes it', async () => {
    const { cluster, clock, seen } = watched(first({ type: 'Delayed', milliseconds: 500 }));
    await cluster.create(SECRETS, testSecret('a'));
    await cluster.create(SECRETS, testSecret('b'));
    expect(await cluster.get(SECRETS, KEY)).toBeDefined();
    await clock.advance(499);
    expect(seen).toEqual(['Synced']);
    await clock.advance(1);
    expect(seen).toEqual(['Synced', 'Applied a', 'Applied b']);
  });

  test('sees twice what is doubled', async () => {
    const { cluster, settle, seen } = watched(first({ type: 'Doubled' }));
    await cluster.create(SECRETS, testSecret('a'));
    await settle();
    await cluster.delete(SECRETS, KEY);
    await settle();
    expect(seen).toEqual(['Synced', 'Applied a', 'Applied a', 'Deleted a']);
  });

  test('learns from its next list what was lost', async () => {
    const { cluster, clock, seen } = watched(first({ type: 'Lost', healedAfterMilliseconds: 1000 }));
    await cluster.create(SECRETS, testSecret('a'));
    await cluster.create(SECRETS, testSecret('b'));
    await clock.advance(999);
    expect(seen).toEqual(['Synced', 'Applied b']);
    await clock.advance(1);
    expect(seen).toEqual(['Synced', 'Applied b', 'Applied a']);
  });

  test('learns of a lost deletion too, and hears of one that it never knew the object of', async () => {
    const lost: DeliveryFault = { type: 'Lost', healedAfterMilliseconds: 1000 };
    const { cluster, clock, seen } = watched({ delivery: ({ type }) => (type === 'Deleted' ? lost : undefined) });
    await cluster.create(SECRETS, testSecret('a'));
    await cluster.delete(SECRETS, KEY);
    await clock.advance(1000);
    expect(seen).toEqual(['Synced', 'Applied a', 'Deleted a']);
    const never = watched(first(lost));
    await never.cluster.create(SECRETS, testSecret('a'));
    await never.cluster.delete(SECRETS, KEY);
    await never.clock.advance(1000);
    expect(never.seen).toEqual(['Synced']);
  });

  test('that is cut reports the difference when it is back', async () => {
    let fault: DeliveryFault | undefined;
    const { cluster, clock, settle, seen } = watched({ delivery: () => fault });
    for (const name of ['a', 'b', 'c']) await cluster.create(SECRETS, testSecret(name));
    await settle();
    fault = { type: 'Cut', milliseconds: 1000 };
    await cluster.delete(SECRETS, KEY);
    fault = undefined;
    await cluster.delete(SECRETS, { ...KEY, name: 'b' });
    await cluster.create(SECRETS, testSecret('b', { again: '' }));
    await cluster.create(SECRETS, testSecret('brief'));
    await cluster.delete(SECRETS, { ...KEY, name: 'brief' });
    seen.length = 0;
    await clock.advance(999);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual(['Deleted a', 'Deleted b', 'Applied b']);
    await cluster.create(SECRETS, testSecret('d'));
    await settle();
    expect(seen.at(-1)).toBe('Applied d');
  });

  test('with faults of every kind ends up knowing what is there', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1 }),
        fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 60 }),
        async (seed, steps) => {
          const random = seededRandom(seed);
          const clock = new ManualClock();
          const cluster = new MemoryCluster({
            clock,
            random,
            resources: [],
            faults: { delivery: () => anyFault(random) },
          });
          const mirror = new Map<string, Secret>();
          const follow = (event: WatchEvent<Secret>): void => {
            if (event.type === 'Applied') mirror.set(event.object.metadata.name, event.object);
            else if (event.type === 'Deleted') mirror.delete(event.object.metadata.name);
          };
          cluster.watch(SECRETS, { labels: { in: 'yes' } }, follow, new AbortController().signal);
          for (const step of steps) {
            await write(cluster, `s${step % 4}`, Math.floor(step / 4));
            await clock.advance(Math.floor(random() * 50));
          }
          await clock.advance(10_000);
          const there = await cluster.list(SECRETS, { labels: { in: 'yes' } });
          expect([...mirror.values()].sort(byName)).toEqual(there.sort(byName));
          expect(clock.pending).toBe(0);
        },
      ),
    );
  });
});

describe('a call', () => {
  test.each(['Unavailable', 'Conflict', 'TooManyRequests'] as const)(
    'can fail as %s, and then does nothing',
    async (reason) => {
      const { cluster } = testCluster({
        faults: {
          call: ({ verb, key }) => (verb === 'create' && key?.name === 'a' ? new ClusterError(reason, 'x') : undefined),
        },
      });
      await expect(cluster.create(SECRETS, testSecret('a'))).rejects.toMatchObject({ reason });
      expect(await cluster.get(SECRETS, KEY)).toBeUndefined();
      await cluster.create(SECRETS, testSecret('b'));
    },
  );
});

describe('the kubelet', () => {
  test('reports address and phase late', async () => {
    const { cluster, clock, runner, settle } = testCluster({ faults: { lateStatusMilliseconds: () => 1200 } });
    await cluster.create(PODS, testPod('a'));
    await settle();
    await clock.advance(1199);
    expect(runner.started).toHaveLength(1);
    runner.pod('a').becomeReady();
    await settle();
    expect((await cluster.get(PODS, KEY))?.status).toMatchObject({ phase: 'Pending' });
    expect((await cluster.get(PODS, KEY))?.status?.podIP).toBeUndefined();
    await clock.advance(1);
    expect((await cluster.get(PODS, KEY))?.status).toMatchObject({ phase: 'Running', podIP: '127.0.0.1' });
    expect((await cluster.get(PODS, KEY))?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'True' }),
    );
  });

  test('reports an end that comes before the late status', async () => {
    const { cluster, clock, runner } = testCluster({ faults: { lateStatusMilliseconds: () => 1200 } });
    await cluster.create(PODS, testPod('a'));
    await clock.advance(10);
    runner.pod('a').exit(1);
    await clock.advance(0);
    expect((await cluster.get(PODS, KEY))?.status?.phase).toBe('Failed');
    expect(clock.pending).toBe(0);
  });

  test('refuses a pod, which fails without having run', async () => {
    const refusal = { reason: 'OutOfcpu', message: "Node didn't have enough resource: cpu" };
    const { cluster, runner, settle } = testCluster({ faults: { refusal: () => refusal } });
    await cluster.create(PODS, testPod('a'));
    await settle();
    expect((await cluster.get(PODS, KEY))?.status).toMatchObject({
      phase: 'Failed',
      reason: 'OutOfcpu',
      message: "Pod was rejected: Node didn't have enough resource: cpu",
    });
    expect(runner.started).toEqual([]);
    await cluster.delete(PODS, KEY);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });

  test('kills at the end of the grace what ignores its termination', async () => {
    const { cluster, clock, runner, settle } = testCluster({ faults: { ignoresTermination: () => true } });
    await cluster.create(PODS, testPod('a'));
    await settle();
    await cluster.delete(PODS, KEY);
    await clock.advance(29_999);
    expect(runner.pod('a').signals).toEqual([]);
    await clock.advance(1);
    expect(runner.pod('a').signals).toEqual(['SIGKILL']);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });
});

/** The fault hits the first change alone. */
function first(fault: DeliveryFault): Faults {
  let hit = false;
  return {
    delivery: () => {
      if (hit) return undefined;
      hit = true;
      return fault;
    },
  };
}

function watched(faults: Faults): ReturnType<typeof testCluster> & { seen: string[] } {
  const started = testCluster({ faults });
  const seen: string[] = [];
  const record = (event: WatchEvent<Secret>): void => {
    seen.push(event.type === 'Synced' ? event.type : `${event.type} ${event.object.metadata.name}`);
  };
  started.cluster.watch(SECRETS, {}, record, new AbortController().signal);
  return { ...started, seen };
}

function anyFault(random: () => number): DeliveryFault | undefined {
  const milliseconds = Math.floor(random() * 100);
  const faults: (DeliveryFault | undefined)[] = [
    { type: 'Delayed', milliseconds },
    { type: 'Doubled' },
    { type: 'Lost', healedAfterMilliseconds: milliseconds },
    { type: 'Cut', milliseconds },
    undefined,
  ];
  return faults[Math.floor(random() * faults.length)];
}

/** Creates, changes, moves out of the labels, or deletes. */
async function write(cluster: MemoryCluster, name: string, what: number): Promise<void> {
  const key = { namespace: 'default', name };
  const current = await cluster.get(SECRETS, key);
  const labels = { in: what === 1 ? 'no' : 'yes' };
  try {
    if (current === undefined) {
      const secret = testSecret(name);
      await cluster.create(SECRETS, { ...secret, metadata: { ...secret.metadata, labels } });
    } else if (what === 2) await cluster.delete(SECRETS, key);
    else
      await cluster.update(SECRETS, {
        ...current,
        metadata: { ...current.metadata, labels },
        type: `t${current.metadata.resourceVersion}`,
      });
  } catch (error) {
    if (!isClusterError(error)) throw error;
  }
}

function byName(a: Secret, b: Secret): number {
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
