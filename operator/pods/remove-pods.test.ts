import { expect, test } from '@jest/globals';
import type { Faults } from '../cluster/memory/faults.ts';
import { testCluster, testPod, type TestCluster } from '../cluster/memory/test-cluster.ts';
import { ClusterError } from '../cluster/port.ts';
import { PODS } from '../cluster/resources.ts';
import type { DrainAnswer } from './drain-client.ts';
import type { PodState } from './pod-state.ts';
import { drainPods } from './remove-pods.ts';

const NAMES = ['a', 'b', 'c', 'd'];

async function fourPods(
  faults: Faults = {},
): Promise<{ world: TestCluster; pods: PodState[]; left: () => Promise<string[]> }> {
  const world = testCluster({ faults });
  const pods: PodState[] = [];
  for (const name of NAMES) {
    const { metadata } = await world.cluster.create(PODS, testPod(name));
    pods.push({
      name,
      uid: metadata.uid ?? '',
      phase: 'Ready',
      address: { host: '127.0.0.1', ports: { http: 1, control: 2 } },
      attempt: 0,
      createdAt: 0,
      failure: undefined,
      startDeadline: undefined,
    });
  }
  const left = async (): Promise<string[]> => {
    await world.settle();
    return (await world.cluster.list(PODS)).map(({ metadata }) => metadata.name);
  };
  return { world, pods, left };
}

test.each<[string, number, Record<string, DrainAnswer>, string[], string[]]>([
  ['asks no more than are to go', 2, {}, ['a', 'b'], ['c', 'd']],
  ['asks the next in place of the busy', 2, { a: 'Busy', c: 'Busy' }, ['a', 'b', 'c', 'd'], ['a', 'c']],
  ['leaves all when all are busy', 1, { a: 'Busy', b: 'Busy', c: 'Busy', d: 'Busy' }, NAMES, NAMES],
  ['takes no answer for busy at first', 1, { a: 'Unreachable' }, ['a', 'b'], ['a', 'c', 'd']],
])('draining %s', async (_name, count, answers, wantAsked, wantLeft) => {
  const { world, pods, left } = await fourPods();
  const asked: string[] = [];
  await drainPods(world.cluster, {
    clock: world.clock,
    namespace: 'default',
    pods,
    count,
    unanswered: new Map(),
    deleted: new Set(),
    ask: ({ name }) => {
      asked.push(name);
      return Promise.resolve(answers[name] ?? 'Draining');
    },
  });
  expect(asked).toEqual(wantAsked);
  expect(await left()).toEqual(wantLeft);
});

test('a round that meets hung pods ends, and one that is silent five times in a row is deleted', async () => {
  const { world, pods, left } = await fourPods();
  const unanswered = new Map<string, number>();
  const asked: string[] = [];
  for (let round = 0; round < 5; round++) {
    await drainPods(world.cluster, {
      clock: world.clock,
      namespace: 'default',
      pods,
      count: 1,
      unanswered,
      deleted: new Set(),
      ask: async ({ name }) => {
        asked.push(name);
        await world.clock.advance(1000);
        return 'Unreachable';
      },
    });
  }
  expect(asked).toEqual(['a', 'a', 'a', 'a', 'a']);
  expect(await left()).toEqual(['b', 'c', 'd']);
});

test('an answer in between begins the count anew', async () => {
  const { world, pods, left } = await fourPods();
  const unanswered = new Map<string, number>();
  for (const answer of ['Unreachable', 'Unreachable', 'Unreachable', 'Unreachable', 'Busy', 'Unreachable'] as const) {
    const request = { clock: world.clock, namespace: 'default', pods: pods.slice(0, 1), count: 1, unanswered };
    await drainPods(world.cluster, { ...request, deleted: new Set(), ask: () => Promise.resolve(answer) });
  }
  expect(await left()).toEqual(NAMES);
});

test('a deletion that is refused does not hide the others', async () => {
  const refusal = new ClusterError('Unavailable', 'The API server is down');
  const { world, pods } = await fourPods({
    call: ({ verb, key }) => (verb === 'delete' && key?.name === 'b' ? refusal : undefined),
  });
  const deleted = new Set<string>();
  const ask = (): Promise<DrainAnswer> => Promise.resolve('Draining');
  const request = { clock: world.clock, namespace: 'default', pods, count: 2, unanswered: new Map(), deleted, ask };
  await expect(drainPods(world.cluster, request)).rejects.toBe(refusal);
  expect([...deleted]).toEqual([pods[0]?.uid]);
});
