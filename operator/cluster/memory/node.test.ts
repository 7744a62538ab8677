/** What a node does with pods: scheduling and the kubelet together, as seen through the port. */
import { describe, expect, test } from '@jest/globals';
import type { WatchEvent } from '../port.ts';
import { PODS, SECRETS, type Pod } from '../resources.ts';
import { StubRunner } from './stub-runner.ts';
import { testCluster, testPod, testSecret, type TestCluster } from './test-cluster.ts';

const KEY = { namespace: 'default', name: 'a' };
const GPU = { resources: { limits: { 'nvidia.com/gpu': '1' } } };
const WITH_GPU = { containers: [{ name: 'runtime', image: 'runtime:1', ...GPU }] };

describe('a pod on the node', () => {
  test('is scheduled and runs, not ready before its program says so', async () => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await settle();
    const running = await get(cluster);
    expect(running.spec.nodeName).toBe('local');
    expect(running.status).toMatchObject({ phase: 'Running', podIP: '127.0.0.1', startTime: '2026-01-01T00:00:00Z' });
    expect(conditions(running)).toEqual({
      PodScheduled: 'True',
      Initialized: 'True',
      ContainersReady: 'False',
      Ready: 'False',
    });
    expect(running.status?.containerStatuses).toEqual([
      { name: 'runtime', ready: false, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } },
    ]);
    runner.pod('a').becomeReady();
    await settle();
    const ready = await get(cluster);
    expect(conditions(ready)).toMatchObject({ ContainersReady: 'True', Ready: 'True' });
    expect(ready.status?.containerStatuses?.[0]?.ready).toBe(true);
  });

  test('starts once, whatever is written to it', async () => {
    const { cluster, runner, settle } = testCluster();
    const created = await cluster.create(PODS, testPod('a'));
    await settle();
    const pod = await get(cluster);
    await cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } });
    await cluster.patchStatus(PODS, KEY, { message: 'hello' });
    await settle();
    expect(runner.started.map(({ pod: { metadata } }) => metadata.uid)).toEqual([created.metadata.uid]);
  });

  test.each([
    [0, 'Succeeded', 'PodCompleted', { exitCode: 0, reason: 'Completed', message: 'bye' }],
    [3, 'Failed', 'PodFailed', { exitCode: 3, reason: 'Error', message: 'bye' }],
  ] as const)('that ends with %d has %s', async (exitCode, phase, reason, terminated) => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await settle();
    runner.pod('a').exit(exitCode, 'bye');
    await settle();
    const ended = await get(cluster);
    expect(ended.status?.phase).toBe(phase);
    expect(ended.status?.containerStatuses?.[0]?.state).toEqual({ terminated });
    expect(ended.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason }),
    );
    await cluster.delete(PODS, KEY);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });

  test('that a signal ends has its number', async () => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await settle();
    runner.pod('a').signal('SIGKILL');
    await settle();
    expect((await get(cluster)).status?.containerStatuses?.[0]?.state).toEqual({
      terminated: { exitCode: 137, signal: 9, reason: 'Error' },
    });
  });

  test('is restarted with growing back-off if it is to run always', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { restartPolicy: 'Always' }));
    await settle();
    for (const [restarts, seconds] of [10, 20, 40, 80, 160, 300, 300].entries()) {
      runner.pod('a').exit(1);
      await settle();
      expect((await get(cluster)).status).toMatchObject({
        phase: 'Running',
        containerStatuses: [{ restartCount: restarts + 1, state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      });
      await clock.advance(seconds * 1000 - 1);
      expect(runner.started).toHaveLength(restarts + 1);
      await clock.advance(1);
      expect(runner.started).toHaveLength(restarts + 2);
    }
  });

  test('that fails is restarted OnFailure, and one that succeeds is not', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { restartPolicy: 'OnFailure' }));
    await settle();
    runner.pod('a').exit(1);
    await settle();
    await clock.advance(10_000);
    expect(runner.started).toHaveLength(2);
    runner.pod('a').exit(0);
    await settle();
    expect((await get(cluster)).status?.phase).toBe('Succeeded');
  });

  test('with more than the node can run is refused', async () => {
    const { cluster, runner, settle } = testCluster();
    const [container] = testPod('a').spec.containers;
    await cluster.create(PODS, testPod('a', { initContainers: [container] }));
    await settle();
    expect((await get(cluster)).status).toMatchObject({ phase: 'Failed', reason: 'UnexpectedAdmissionError' });
    expect(runner.started).toEqual([]);
  });

  test('of another node is not its business', async () => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { nodeName: 'elsewhere' }));
    await settle();
    expect(runner.started).toEqual([]);
    expect((await get(cluster)).status).toEqual({ phase: 'Pending' });
  });
});

describe('deleting a pod', () => {
  test('terminates it, and takes it away when it has ended', async () => {
    const { cluster, runner, settle } = testCluster();
    const log = watchPods(cluster);
    await cluster.create(PODS, testPod('a'));
    await settle();
    await cluster.delete(PODS, KEY);
    expect((await get(cluster)).metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:30Z',
      deletionGracePeriodSeconds: 30,
    });
    await settle();
    expect(runner.pod('a').signals).toEqual(['SIGTERM']);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
    const last = log.at(-1);
    expect(last).toMatchObject({ type: 'Deleted', object: { status: { phase: 'Succeeded' } } });
  });

  test('kills it at the end of the grace', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { terminationGracePeriodSeconds: 5 }));
    await settle();
    runner.pod('a').hangsOnTermination = true;
    await cluster.delete(PODS, KEY);
    await clock.advance(3000);
    // A write in between does not begin the grace anew.
    await cluster.patchStatus(PODS, KEY, { message: 'hello' });
    await clock.advance(1999);
    expect(runner.pod('a').signals).toEqual(['SIGTERM']);
    expect(await cluster.get(PODS, KEY)).toBeDefined();
    await clock.advance(1);
    expect(runner.pod('a').signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  test('again with less grace brings the end forward', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { terminationGracePeriodSeconds: 60 }));
    await settle();
    runner.pod('a').hangsOnTermination = true;
    await cluster.delete(PODS, KEY);
    await clock.advance(1000);
    await cluster.delete(PODS, KEY, { gracePeriodSeconds: 10 });
    await clock.advance(9999);
    expect(runner.pod('a').signals).toEqual(['SIGTERM']);
    await clock.advance(1);
    expect(runner.pod('a').signals).toEqual(['SIGTERM', 'SIGKILL']);
  });

  test('by force removes it at once, and its program a second later', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await settle();
    const first = runner.pod('a');
    first.hangsOnTermination = true;
    await cluster.delete(PODS, KEY, { gracePeriodSeconds: 0 });
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
    const second = await cluster.create(PODS, testPod('a'));
    await clock.advance(1000);
    expect(first.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(runner.pod('a').pod.metadata.uid).toBe(second.metadata.uid);
    expect(runner.pod('a').signals).toEqual([]);
    expect((await get(cluster)).status?.phase).toBe('Running');
  });

  test('before it was started leaves nothing', async () => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await cluster.delete(PODS, KEY);
    await settle();
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
    expect(runner.started.every(({ signals }) => signals.includes('SIGTERM'))).toBe(true);
  });

  test('while it waits to be restarted ends the waiting', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a', { restartPolicy: 'Always' }));
    await settle();
    runner.pod('a').exit(1);
    await settle();
    await cluster.delete(PODS, KEY);
    await clock.advance(60_000);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
    expect(runner.started).toHaveLength(1);
  });

  test('with a finalizer keeps the object, not the program', async () => {
    const { cluster, runner, settle } = testCluster();
    const pod = testPod('a');
    await cluster.create(PODS, { ...pod, metadata: { ...pod.metadata, finalizers: ['pilotlight.dev/test'] } });
    await settle();
    await cluster.delete(PODS, KEY);
    await settle();
    expect(runner.pod('a').signals).toEqual(['SIGTERM']);
    const held = await get(cluster);
    expect(held.status?.phase).toBe('Succeeded');
    await cluster.update(PODS, { ...held, metadata: { ...held.metadata, finalizers: [] } });
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });

  test('closing the cluster kills every program and waits for its end', async () => {
    const { cluster, clock, runner, settle } = testCluster();
    await cluster.create(PODS, testPod('a'));
    await cluster.create(PODS, testPod('b', { restartPolicy: 'Always' }));
    await settle();
    runner.pod('b').exit(1);
    await settle();
    await cluster.close();
    expect(runner.pod('a').signals).toEqual(['SIGKILL']);
    expect(clock.pending).toBe(0);
  });
});

describe('the environment of a pod', () => {
  test('is resolved from the pod and from secrets', async () => {
    const { cluster, runner, settle } = testCluster();
    await cluster.create(SECRETS, testSecret('s3', { password: 'ünlocked' }));
    const env = [
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's3', key: 'password' } } },
      { name: 'URL', value: 'http://$(HOST)/$(NAME)' },
    ];
    await cluster.create(PODS, testPod('a', { containers: [{ name: 'runtime', image: 'runtime:1', env }] }));
    await settle();
    expect(runner.pod('a').environment).toEqual({
      NAME: 'a',
      HOST: '127.0.0.1',
      PASSWORD: 'ünlocked',
      URL: 'http://127.0.0.1/a',
    });
    expect(runner.pod('a').pod.status?.podIP).toBe('127.0.0.1');
  });

  test('waits for a secret that is missing, and for its key', async () => {
    const { cluster, runner, settle } = testCluster();
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's3', key: 'password' } } }];
    await cluster.create(PODS, testPod('a', { containers: [{ name: 'runtime', image: 'runtime:1', env }] }));
    await settle();
    const waiting = (message: string): object => ({
      phase: 'Pending',
      containerStatuses: [{ state: { waiting: { reason: 'CreateContainerConfigError', message } } }],
    });
    expect((await get(cluster)).status).toMatchObject(waiting('secret "s3" not found'));
    const secret = await cluster.create(SECRETS, testSecret('s3'));
    await settle();
    expect((await get(cluster)).status).toMatchObject(waiting("couldn't find key password in Secret default/s3"));
    await cluster.update(SECRETS, { ...secret, data: { password: 'eA==' } });
    await settle();
    expect(runner.pod('a').environment).toEqual({ PASSWORD: 'x' });
    expect((await get(cluster)).status?.phase).toBe('Running');
  });

  test('that never resolves does not keep the pod from going', async () => {
    const { cluster, settle } = testCluster();
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's3', key: 'password' } } }];
    await cluster.create(PODS, testPod('a', { containers: [{ name: 'runtime', image: 'runtime:1', env }] }));
    await settle();
    await cluster.delete(PODS, KEY);
    await settle();
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });
});

describe('scheduling', () => {
  test('waits for room, says why, and goes on when room appears', async () => {
    const { cluster, runner, settle } = testCluster({ capacity: { 'nvidia.com/gpu': '1' }, runner: new StubRunner() });
    await cluster.create(PODS, testPod('a', WITH_GPU));
    await cluster.create(PODS, testPod('b', WITH_GPU));
    await cluster.create(PODS, testPod('c'));
    await settle();
    const b = await get(cluster, 'b');
    expect(b.spec.nodeName).toBeUndefined();
    expect(b.status).toEqual({
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message:
            '0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: ' +
            '0/1 nodes are available: 1 No preemption victims found for incoming pod.',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    });
    expect((await get(cluster, 'c')).status?.phase).toBe('Running');
    await cluster.delete(PODS, KEY);
    await settle();
    expect((await get(cluster, 'b')).status).toMatchObject({ phase: 'Running' });
    expect(conditions(await get(cluster, 'b'))).toMatchObject({ PodScheduled: 'True' });
    expect(runner.started).toEqual([]);
  });

  test('gives room to the oldest first, and skips whoever does not fit', async () => {
    const { cluster, runner, settle } = testCluster({ capacity: { cpu: '2' } });
    const cpu = (amount: string): Partial<Pod['spec']> => ({
      containers: [{ name: 'runtime', image: 'runtime:1', resources: { requests: { cpu: amount } } }],
    });
    await cluster.create(PODS, testPod('a', cpu('1500m')));
    await cluster.create(PODS, testPod('large', cpu('1')));
    await cluster.create(PODS, testPod('small', cpu('0.5')));
    await cluster.create(PODS, testPod('late', cpu('1')));
    await settle();
    expect(names(runner)).toEqual(['a', 'small']);
    runner.pod('a').exit(0);
    await settle();
    expect(names(runner)).toEqual(['a', 'small', 'large']);
  });

  test('counts pods, and frees the place of one that has ended', async () => {
    const { cluster, runner, settle } = testCluster({ capacity: { pods: '1' } });
    await cluster.create(PODS, testPod('a'));
    await cluster.create(PODS, testPod('b'));
    await settle();
    expect((await get(cluster, 'b')).status?.conditions?.[0]?.message).toMatch(
      /^0\/1 nodes are available: 1 Too many pods\. /,
    );
    runner.pod('a').exit(1);
    await settle();
    expect(names(runner)).toEqual(['a', 'b']);
  });

  test('lets a pod go that waits for room', async () => {
    const { cluster, settle } = testCluster({ capacity: { pods: '0' } });
    await cluster.create(PODS, testPod('a'));
    await settle();
    await cluster.delete(PODS, KEY);
    expect(await cluster.get(PODS, KEY)).toBeUndefined();
  });

  test('gives no node to a pod that is being deleted', async () => {
    const { cluster, runner, settle } = testCluster({ capacity: { pods: '1' } });
    const pod = testPod('b');
    await cluster.create(PODS, testPod('a'));
    await cluster.create(PODS, { ...pod, metadata: { ...pod.metadata, finalizers: ['pilotlight.dev/test'] } });
    await settle();
    await cluster.delete(PODS, { ...KEY, name: 'b' });
    await cluster.delete(PODS, KEY);
    await settle();
    expect((await get(cluster, 'b')).spec.nodeName).toBeUndefined();
    expect(names(runner)).toEqual(['a']);
  });

  test.each(['abc', '-1', ''])('never sees the quantity "%s"', async (cpu) => {
    const { cluster } = testCluster();
    const resources = { limits: { cpu } };
    await expect(
      cluster.create(PODS, testPod('a', { containers: [{ name: 'runtime', image: 'runtime:1', resources }] })),
    ).rejects.toMatchObject({
      reason: 'Invalid',
      causes: [{ field: 'spec.containers[0].resources.requests[cpu]' }],
    });
  });
});

async function get(cluster: TestCluster['cluster'], name = 'a'): Promise<Pod> {
  const pod = await cluster.get(PODS, { namespace: 'default', name });
  if (pod === undefined) throw new Error(`Pod ${name} is gone.`);
  return pod;
}

function conditions(pod: Pod): Record<string, string> {
  return Object.fromEntries((pod.status?.conditions ?? []).map(({ type, status }) => [type, status]));
}

function names(runner: StubRunner): string[] {
  return runner.started.map(({ pod }) => pod.metadata.name);
}

function watchPods(cluster: TestCluster['cluster']): WatchEvent<Pod>[] {
  const events: WatchEvent<Pod>[] = [];
  cluster.watch(PODS, {}, (event) => events.push(event), new AbortController().signal);
  return events;
}
