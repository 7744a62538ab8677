import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';
import { LABELS } from '../../common/api/names.ts';
import type { Pod } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import type { OpenRequest } from './support/client.ts';
import { condition } from '../function-state.ts';
import { findGpus, GPU, type Gpus } from './support/gpus.ts';
import { CHART, helm, RELEASE } from './support/helm.ts';
import { modelFunction } from './support/manifests.ts';
import type { Seen } from './support/object-watch.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(180_000);

/** A second is enough; a test's machine may be slow. */
const CROWD_SECONDS = 5;

let suite: Suite;
let gpus: Gpus;
/** Two more than there are GPUs. */
let names: readonly string[];
beforeAll(async () => {
  gpus = await findGpus();
  names = Array.from({ length: gpus.count + 2 }, (_, at) => `on-gpu-${at}`);
  suite = await startSuite('gpus');
});
afterAll(async () => {
  await suite.close();
  await gpus.takeBack();
});

/** One request at a time and pod, so that a request that is kept open keeps a GPU. */
function onGpu(name: string): ModelFunctionManifest {
  return modelFunction(name, {
    // They pretend to be.
    runtime: { executionProviders: ['CPU'] },
    resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '512Mi', [GPU]: 1 } },
    scaling: { target: 1, maxReplicas: 3 },
    concurrencyLimit: 1,
    timeoutSeconds: 300,
    queue: { timeoutSeconds: 300 },
  });
}

function isWaiting({ metadata, status }: Pod): boolean {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  return metadata.deletionTimestamp === undefined && scheduled?.status === 'False';
}

function waitingOf(pods: readonly Pod[], name: string): readonly Pod[] {
  return pods.filter((pod) => pod.metadata.labels?.[LABELS.function] === name && isWaiting(pod));
}

/** Seconds for which, at the longest, more pods of a revision waited for a node than one. */
function longestCrowd(history: readonly Seen<Pod>[]): number {
  const waiting = new Map<string, string>();
  const crowded = new Map<string, number>();
  let longest = 0;
  for (const { object, deleted, at } of history) {
    const revision = object.metadata.labels?.[LABELS.revision] ?? '';
    const uid = object.metadata.uid ?? '';
    if (!deleted && isWaiting(object)) waiting.set(uid, revision);
    else waiting.delete(uid);
    const isCrowded = [...waiting.values()].filter((each) => each === revision).length > 1;
    const since = crowded.get(revision);
    if (isCrowded && since === undefined) crowded.set(revision, at);
    if (since !== undefined) longest = Math.max(longest, (at - since) / 1000);
    if (!isCrowded) crowded.delete(revision);
  }
  return crowded.size > 0 ? Infinity : longest;
}

test('more functions than GPUs all become ready, one after the other', async () => {
  await suite.apply(...names.map(onGpu));
  await suite.pods.until('some have no GPU', (pods) => (pods.filter(isWaiting).length >= 1 ? true : undefined));
  await Promise.all(names.map((name) => suite.untilReady(name)));
});

let atWork: OpenRequest[];
let waits: OpenRequest[];

test('a function that is called while all GPUs are in use waits with one pod, and says so in the words of the scheduler', async () => {
  await Promise.all(names.map((name) => suite.untilNoPods(name)));
  const busy = names.slice(0, gpus.count);
  const late = names.at(-1) ?? '';
  atWork = await Promise.all(busy.map((name) => suite.openInference(name, DIGITS.request)));
  await Promise.all(busy.map((name) => suite.untilReplicas(name, 1)));

  waits = await Promise.all(
    Array.from({ length: Math.min(3, gpus.count) }, () => suite.openInference(late, DIGITS.request)),
  );
  const fn = await suite.untilFunction(
    late,
    'waits for a GPU with all its replicas wanted',
    (now) => condition(now, 'Ready')?.reason === 'Unschedulable' && now.status?.desiredReplicas === waits.length,
  );
  expect(condition(fn, 'Ready')).toMatchObject({
    status: 'Unknown',
    message: expect.stringMatching(
      /^Revision on-gpu-\d+-00001: 0\/\d+ nodes are available: .*Insufficient nvidia\.com\/gpu/,
    ),
  });
  await suite.pods.until(`${late} has one pod`, (pods) => (waitingOf(pods, late).length === 1 ? true : undefined));
});

test('when another is at zero, its GPU goes to the one that waits', async () => {
  for (const request of atWork) expect((await request.finish()).status).toBe(200);
  await suite.untilReplicas(names.at(-1) ?? '', waits.length);
  for (const request of waits) {
    const answer = await request.finish();
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['pilotlight-cold-start'])).toBeGreaterThan(0);
  }
});

test('of each function one pod at most waited for a GPU, but for the moment that it takes to see that none is left', () => {
  const seconds = longestCrowd(suite.pods.history);
  process.stdout.write(`More than one pod of a revision waited for ${seconds.toFixed(1)} s at the longest.\n`);
  expect(seconds).toBeLessThan(CROWD_SECONDS);
});

test('with the strategy Recreate a function that has all GPUs gives them up before it gets its new revision, and what is asked meanwhile is held', async () => {
  await Promise.all(names.map((name) => suite.untilNoPods(name)));
  const manifest = onGpu('all-gpus');
  const scaling = { minReplicas: gpus.count, maxReplicas: gpus.count };
  const apply = (maxBatchSize: number): Promise<string> =>
    suite.apply({
      ...manifest,
      spec: { ...manifest.spec, scaling, rollout: { strategy: 'Recreate' }, batching: { maxBatchSize } },
    });
  await apply(8);
  await suite.untilReplicas('all-gpus', gpus.count);
  const load = await suite.client.load({ request: suite.inference('all-gpus', DIGITS.request), concurrency: 2 });
  await load.until({ ended: 20 });
  await apply(4);
  await load.until({ revision: { name: 'all-gpus-00002', inARow: 20 } });
  const { outcomes, sent } = await load.stop();
  expect(outcomes).toEqual({ '200': sent });
  await suite.untilReplicas('all-gpus', gpus.count);
  // None was made before the last one of the old revision had ended.
  const revisions = suite.pods.history.map(({ object }) => object.metadata.labels?.[LABELS.revision]);
  expect(revisions.indexOf('all-gpus-00002')).toBeGreaterThan(revisions.lastIndexOf('all-gpus-00001'));
});

test('within a budget of one GPU a function waits though more are free, and a higher priority gets the idle one of a lower', async () => {
  await Promise.all(['all-gpus', ...names].map((name) => suite.delete(name)));
  const budgets = JSON.stringify([{ resource: GPU, namespace: suite.namespace, limit: 1 }]);
  const told = ['--reset-then-reuse-values', '--set-json', `runtime.budgets=${budgets}`, '--wait'];
  await helm('upgrade', RELEASE, CHART, ...told);
  try {
    const kept = (name: string, priority: number): ModelFunctionManifest => {
      const manifest = onGpu(name);
      return { ...manifest, spec: { ...manifest.spec, scaling: { minReplicas: 1, priority } } };
    };
    await suite.apply(kept('low', 0));
    await suite.untilReplicas('low', 1);
    await suite.apply(kept('equal', 0));
    const waits = await suite.untilFunction(
      'equal',
      'waits for the budget',
      (now) => condition(now, 'Ready')?.reason === 'WaitingForCapacity',
    );
    expect(condition(waits, 'Ready')?.message).toMatch(
      /^Revision equal-00001: 1 replica waits for 1 nvidia\.com\/gpu each: of the budget of the namespace .*, 1, 1 are in use; place 1 of 1 in line$/,
    );
    await suite.apply(kept('high', 1));
    await suite.untilReplicas('high', 1);
    await suite.untilFunction('low', 'waits', (now) => condition(now, 'Active')?.reason === 'WaitingForCapacity');
    const gpuPods = suite.pods.objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(gpuPods.map(({ metadata }) => metadata.labels?.[LABELS.function])).toEqual(['high']);
  } finally {
    await helm('rollback', RELEASE, '--wait');
  }
});
