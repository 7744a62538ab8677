import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';
import type { Budget } from '../capacity/budget.ts';
import { PODS } from '../cluster/resources.ts';
import { ControlLoop, SHORT_SCALING } from './control-loop-fixture.ts';

type Spec = Partial<ModelFunctionManifest['spec']>;

const GPU = 'nvidia.com/gpu';
/** More than any budget here. */
const NODE = { [GPU]: '9', pods: '110' };

let loop: ControlLoop;
beforeEach(() => {
  loop = new ControlLoop({ capacity: NODE });
});
afterEach(() => loop.close());

async function start(limit: number, more: readonly Budget[] = []): Promise<void> {
  loop.budgets = [{ resource: GPU, namespace: undefined, limit }, ...more];
  await loop.start();
}

function onGpu(scaling: Spec['scaling'] = {}, more: Spec = {}): Spec {
  return {
    resources: { limits: { [GPU]: 1 } },
    scaling: { ...SHORT_SCALING, target: 1, maxReplicas: 5, ...scaling },
    concurrencyLimit: 1,
    ...more,
  };
}

/** A function that was made and has a ready pod. */
async function served(name: string, scaling: Spec['scaling'] = {}): Promise<void> {
  await loop.apply(name, onGpu(scaling));
  await loop.announce(`${name}-00001-0`);
}

async function sum(metric: string): Promise<Record<string, number>> {
  const text = await loop.registry.getSingleMetricAsString(metric);
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const valueOf = (line: string): [string, number] => [
    /namespace="(.*?)"/.exec(line)?.[1] ?? '',
    Number(line.split(' ').at(-1)),
  ];
  return Object.fromEntries(lines.map(valueOf));
}

test('without room a function waits, says for what, and starts when a pod has ended', async () => {
  await start(1);
  await served('a');
  await loop.demand('a-00001', { inFlight: 1 });
  await loop.apply('b', onGpu());
  await loop.walk(4);
  expect(await loop.pods()).toEqual(['a-00001-0']);
  const message =
    '1 replica waits for 1 nvidia.com/gpu each: of the budget of the cluster, 1, 1 are in use; place 1 of 1 in line';
  expect(await loop.condition('revision', 'b-00001', 'Ready')).toBe(`Unknown WaitingForCapacity: ${message}`);
  expect(await loop.condition('function', 'b', 'Ready')).toBe(
    `Unknown WaitingForCapacity: Revision b-00001: ${message}`,
  );
  expect((await loop.revision('b-00001')).spec.replicas).toBe(1);

  await loop.demand('a-00001', {});
  await loop.walk(20);
  expect(await loop.pods()).toEqual(['b-00001-0']);
  await loop.announce('b-00001-0');
  expect(await loop.condition('function', 'b', 'Ready')).toMatch(/^True/);
});

test('a pod holds its share until it is gone', async () => {
  await start(1);
  await served('a');
  loop.runner.pod('a-00001-0').hangsOnTermination = true;
  await loop.apply('b', onGpu());
  await loop.walk(10);
  expect(await loop.pods()).toEqual([]);
  expect(await loop.condition('revision', 'b-00001', 'Ready')).toMatch(/^Unknown WaitingForCapacity/);
  await loop.walk(80);
  expect(await loop.pods()).toEqual(['b-00001-0']);
});

test('a higher priority gets the idle replica of a lower one, which waits and is not started again', async () => {
  await start(1);
  await served('low', { minReplicas: 1 });
  await loop.apply('high', onGpu({ priority: 1, minReplicas: 1 }));
  await loop.walk(4);
  expect(loop.asked).toEqual(['low-00001-0']);
  expect(await loop.pods()).toEqual(['high-00001-0']);
  await loop.announce('high-00001-0');
  const { length } = loop.runner.started;
  await loop.walk(60);
  expect(loop.runner.started).toHaveLength(length);
  expect(await loop.condition('function', 'low', 'Active')).toMatch(
    /^Unknown WaitingForCapacity: Revision low-00001: /,
  );

  // It is live: no new revision.
  await loop.apply('low', onGpu({ priority: 2, minReplicas: 1 }));
  await loop.walk(4);
  expect(await loop.revisions()).toEqual(['high-00001', 'low-00001']);
  expect(await loop.pods()).toEqual(['low-00001-0']);
});

test('a pod with a request in flight is neither asked nor taken, however low its priority', async () => {
  await start(1);
  await served('low');
  await loop.demand('low-00001', { inFlight: 1 });
  await loop.apply('high', onGpu({ priority: 9 }));
  await loop.walk(20);
  expect(loop.asked).toEqual([]);
  expect(await loop.pods()).toEqual(['low-00001-0']);
});

test('a pod that says that it is busy stays, whatever gateways said', async () => {
  await start(1);
  await served('low', { minReplicas: 1 });
  loop.drains.set('low-00001-0', 'Busy');
  await loop.apply('high', onGpu({ priority: 9 }));
  await loop.walk(10);
  expect(await loop.pods()).toEqual(['low-00001-0']);
  expect(loop.routes.get('low')?.revisions[0]?.pods).toMatchObject([{ spare: true }]);
  loop.drains.delete('low-00001-0');
  await loop.walk(4);
  expect(await loop.pods()).toEqual(['high-00001-0']);
});

test('a function without the resource is never touched', async () => {
  await start(0);
  await loop.apply('cpu', { scaling: { ...SHORT_SCALING, minReplicas: 3 } });
  expect(await loop.pods()).toHaveLength(3);
});

test('a replica that needs more than the whole budget says that it can never start', async () => {
  await start(2, [{ resource: GPU, namespace: 'default', limit: 1 }]);
  await loop.apply('huge', onGpu({}, { resources: { limits: { [GPU]: 2 } } }));
  expect(await loop.condition('function', 'huge', 'Ready')).toBe(
    'False WaitingForCapacity: Revision huge-00001: A replica needs 2 nvidia.com/gpu and the budget of the namespace default is 1, so it can never start',
  );
  expect(await loop.condition('function', 'huge', 'Stalled')).toMatch(/^True/);
});

test('with Surge a new revision waits for room and the old one serves on; with Recreate the old one makes room', async () => {
  await start(1);
  await served('a', { minReplicas: 1 });
  await loop.apply('a', onGpu({ minReplicas: 1 }, { batching: { maxBatchSize: 4 } }));
  await loop.walk(10);
  expect(await loop.pods()).toEqual(['a-00001-0']);
  expect(await loop.condition('function', 'a', 'Ready')).toMatch(
    /^Unknown WaitingForCapacity: Revision a-00002: .* place 1 of 1 in line; a-00001 serves on$/,
  );
  await loop.apply(
    'a',
    onGpu({ minReplicas: 1 }, { batching: { maxBatchSize: 4 }, rollout: { strategy: 'Recreate' } }),
  );
  await loop.walk(20);
  expect(await loop.pods()).toEqual(['a-00002-0']);
});

test('the time that a start may take begins when there is room for it, also for the next operator', async () => {
  await start(1);
  await served('a');
  await loop.demand('a-00001', { inFlight: 1 });
  await loop.apply('b', onGpu({ startTimeoutSeconds: 30 }));
  await loop.walk(50);
  await loop.restart();
  await loop.walk(50);
  expect(await loop.condition('function', 'b', 'Ready')).toMatch(/^Unknown WaitingForCapacity/);
  await loop.demand('a-00001', {});
  await loop.walk(15);
  expect(await loop.pods()).toEqual(['b-00001-0']);
  await loop.walk(10);
  expect(await loop.pods()).toEqual(['b-00001-0']);
});

test('a new leader gives what is free to the highest priority, in whatever order it looks', async () => {
  await start(1);
  await served('a');
  await loop.demand('a-00001', { inFlight: 1 });
  await loop.apply('b', onGpu());
  await loop.apply('c', onGpu({ priority: 1 }));
  await loop.walk(4);
  await loop.demand('a-00001', {});
  await loop.follow();
  await loop.walk(20);
  await loop.cluster.delete(PODS, { namespace: 'default', name: 'a-00001-0' });
  // The room is there before anyone looks.
  await loop.walk(1);
  expect(await loop.cluster.list(PODS)).toEqual([]);
  const { length } = loop.runner.started;
  await loop.lead();
  await loop.walk(4);
  expect(await loop.pods()).toEqual(['c-00001-0']);
  expect(loop.runner.started).toHaveLength(length + 1);
});

test('under a limit that was lowered the idle ones go, and the busy one stays', async () => {
  await start(3);
  for (const name of ['a', 'b', 'c']) await served(name, { minReplicas: 1, priority: name === 'b' ? 1 : 0 });
  await loop.demand('a-00001', { inFlight: 1 });
  loop.budgets = [{ resource: GPU, namespace: undefined, limit: 2 }];
  await loop.restart();
  await loop.walk(10);
  expect(await loop.pods()).toEqual(['a-00001-0', 'b-00001-0']);
});

test('a start that failed holds nothing until the next one is due', async () => {
  await start(1);
  await loop.apply('broken', onGpu({ priority: 1 }));
  await loop.apply('good', onGpu());
  for (let failures = 0; failures < 3; failures++) {
    loop.runner.started.at(-1)?.exit(1);
    await loop.walk(failures < 2 ? 3 : 0);
  }
  await loop.settle();
  expect(await loop.pods()).toEqual(['good-00001-0']);
});

test('no more pods ever exist than the budget has room for, late watches and restarts or not', async () => {
  await loop.close();
  loop = new ControlLoop({
    capacity: NODE,
    faults: {
      delivery: ({ resource }) => (resource.endsWith('Pod') ? { type: 'Delayed', milliseconds: 1500 } : undefined),
    },
  });
  await start(2);
  const names = ['a', 'b', 'c'];
  for (const [at, name] of names.entries()) await loop.apply(name, onGpu({ priority: at % 2 }));
  let most = 0;
  for (let round = 0; round < 24; round++) {
    for (const [at, name] of names.entries()) {
      await loop.demand(`${name}-00001`, { inFlight: (round + 4 * at) % 12 < 4 ? 2 : 0 });
    }
    if (round === 12) await loop.restart();
    await loop.walk(1);
    for (const pod of await loop.cluster.list(PODS)) {
      if (pod.metadata.deletionTimestamp === undefined) await loop.announcePod(pod);
    }
    most = Math.max(most, (await loop.cluster.list(PODS)).length);
  }
  expect(most).toBe(2);
});

test('metrics tell limit, held and waiting of each budget', async () => {
  await start(1, [{ resource: GPU, namespace: 'other', limit: 5 }]);
  await served('a');
  await loop.demand('a-00001', { inFlight: 1 });
  await loop.apply('b', onGpu({ minReplicas: 2 }));
  expect(await sum('pilotlight_budget_limit')).toEqual({ '': 1, other: 5 });
  expect(await sum('pilotlight_budget_held')).toEqual({ '': 1, other: 0 });
  expect(await sum('pilotlight_budget_waiting')).toEqual({ '': 2, other: 0 });
  await loop.follow();
  expect(await sum('pilotlight_budget_limit')).toEqual({});
});

test('a function that serves with fewer than it wants says so beside', async () => {
  await start(1);
  await served('a');
  await loop.demand('a-00001', { inFlight: 1, queued: 2 });
  await loop.walk(4);
  expect(await loop.condition('function', 'a', 'Ready')).toMatch(/^True/);
  expect(await loop.condition('function', 'a', 'Active')).toMatch(
    /^True Serving: Revision a-00001: 2 replicas wait for 1 nvidia.com\/gpu each: .*; place 1 of 1 in line$/,
  );
  expect(await loop.condition('revision', 'a-00001', 'PodsHealthy')).toMatch(/^False WaitingForCapacity/);
});
