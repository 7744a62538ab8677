import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { RUNTIME_POD_LABELS } from '../../common/api/names.ts';
import type { Pod } from '../cluster/resources.ts';
import { EVENTS, MODEL_FUNCTIONS, MODEL_REVISIONS, PODS, SECRETS } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

const broken = JSON.stringify({ reason: 'ModelInvalid', message: 'It is a picture of a cat' });

let loop: ControlLoop;

beforeEach(async () => {
  loop = await new ControlLoop().start();
});

afterEach(() => loop.close());

/** A function whose first revision has proven itself and gone to zero. */
async function atZero(spec: Parameters<ControlLoop['apply']>[1] = {}): Promise<void> {
  await loop.apply('digits', { scaling: SHORT_SCALING, ...spec });
  await loop.announce('digits-00001-0');
  await loop.walk(20);
  expect(await loop.pods()).toEqual([]);
}

describe('a new function', () => {
  test('starts one pod to prove itself, becomes ready, and goes to zero', async () => {
    await loop.apply('digits', { scaling: SHORT_SCALING });
    expect(await loop.revisions()).toEqual(['digits-00001']);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^Unknown Starting: Revision digits-00001: /);

    await loop.announce('digits-00001-0');
    expect(await loop.condition('function', 'digits', 'Ready')).toBe('True Ready: Calls are served');
    expect(await loop.condition('function', 'digits', 'Active')).toMatch(/^True Serving/);

    await loop.walk(20);
    expect(await loop.pods()).toEqual([]);
    expect(await loop.condition('function', 'digits', 'Ready')).toBe('True Ready: Calls are served');
    expect(await loop.condition('function', 'digits', 'Active')).toMatch(/^False NoDemand/);
    expect((await loop.function('digits')).status).toMatchObject({
      observedGeneration: 1,
      url: 'http://digits.default',
      latestCreatedRevision: 'digits-00001',
      latestReadyRevision: 'digits-00001',
      replicas: 0,
      desiredReplicas: 0,
      traffic: [{ revision: 'digits-00001', percent: 100 }],
    });
  });

  test('is routed with the pod that announced itself', async () => {
    await loop.apply('digits', { visibility: 'External', scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    const { metadata } = await loop.pod('digits-00001-0');
    expect(loop.routes.get('digits')).toEqual({
      namespace: 'default',
      name: 'digits',
      visibility: 'External',
      timeoutSeconds: 60,
      concurrencyLimit: 0,
      queue: { maxRequests: 1000, maxBytes: 268_435_456, timeoutSeconds: 60 },
      traffic: [{ revision: 'digits-00001', percent: 100 }],
      revisions: [
        {
          name: 'digits-00001',
          pods: [
            {
              name: 'digits-00001-0',
              uid: metadata.uid,
              state: 'Ready',
              host: '127.0.0.1',
              ports: { http: 4000, control: 5000 },
            },
          ],
          startSeconds: 0,
        },
      ],
    });
  });

  test('is routed once, however often its pod announces itself', async () => {
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    const { published } = loop;
    await loop.announce('digits-00001-0');
    expect(loop.published).toBe(published);
  });

  test('shows the model that its pod found', async () => {
    const model = {
      sha256: 'a'.repeat(64),
      sizeBytes: 7,
      inputs: [],
      outputs: [],
      batching: { enabled: false, reason: 'No' },
    };
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0', { model, executionProviders: ['CPU'] });
    expect((await loop.function('digits')).status?.model).toEqual(model);
    expect((await loop.revision('digits-00001')).status?.executionProviders).toEqual(['CPU']);
  });

  test('writes nothing when nothing changed', async () => {
    await atZero();
    const before = await loop.cluster.list(MODEL_REVISIONS);
    const functions = await loop.cluster.list(MODEL_FUNCTIONS);
    const { published } = loop;
    await loop.walk(30);
    expect(loop.published).toBe(published);
    expect(await loop.cluster.list(MODEL_REVISIONS)).toEqual(before);
    expect(await loop.cluster.list(MODEL_FUNCTIONS)).toEqual(functions);
  });
});

describe('demand', () => {
  test('wakes a function at zero at once, and remembers when', async () => {
    await atZero();
    const now = new Date(loop.clock.now()).toISOString();
    await loop.demand('digits-00001', { queued: 1 });
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    await loop.walk(5);
    const { spec, status } = await loop.revision('digits-00001');
    expect(spec.replicas).toBe(1);
    expect(status?.wokenAt).toBe(now);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^True/);
    expect(await loop.registry.getSingleMetricAsString('pilotlight_wake_seconds')).toMatch(/_count [12]\n?$/);
  });

  test('writes nothing but the pod while that starts, and tells once it is ready', async () => {
    await atZero();
    const [revision, fn] = [await loop.revision('digits-00001'), await loop.function('digits')];
    await loop.demand('digits-00001', { queued: 1 });
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect(await loop.revision('digits-00001')).toEqual(revision);
    expect(await loop.function('digits')).toEqual(fn);
    await loop.announce('digits-00001-0');
    expect((await loop.revision('digits-00001')).status).toMatchObject({ readyReplicas: 1, desiredReplicas: 1 });
    expect((await loop.function('digits')).status).toMatchObject({ replicas: 1, desiredReplicas: 1 });
  });

  test('of several functions at once writes nothing but pods until the last is ready', async () => {
    await loop.apply('letters', { scaling: SHORT_SCALING });
    await loop.announce('letters-00001-0');
    await atZero();
    const status = async (): Promise<unknown> => [
      (await loop.revision('digits-00001')).status?.readyReplicas,
      (await loop.revision('letters-00001')).status?.readyReplicas,
    ];
    await loop.demand('digits-00001', { queued: 1 });
    await loop.demand('letters-00001', { queued: 1 });
    await loop.announce('digits-00001-0');
    await loop.walk(2);
    expect(await status()).toEqual([0, 0]);
    await loop.announce('letters-00001-0');
    await loop.walk(1);
    expect(await status()).toEqual([1, 1]);
  });

  test('scales to several pods and back, and never takes a busy one', async () => {
    await atZero();
    await loop.demand('digits-00001', { queued: 24 });
    await loop.walk(2);
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1', 'digits-00001-2']);
    for (const ordinal of [0, 1, 2]) await loop.announce(`digits-00001-${ordinal}`);
    loop.drains.set('digits-00001-2', 'Busy');
    await loop.demand('digits-00001', { inFlight: 1 });
    await loop.walk(30);
    expect(await loop.pods()).toEqual(['digits-00001-2']);
    await loop.demand('digits-00001', {});
    await loop.walk(30);
    expect(await loop.pods()).toEqual(['digits-00001-2']);
    loop.drains.clear();
    await loop.walk(2);
    expect(await loop.pods()).toEqual([]);
  });

  test('is met by a replacement at once when a pod is deleted by hand', async () => {
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.announce('digits-00001-0');
    loop.runner.pod('digits-00001-0').hangsOnTermination = true;
    await loop.cluster.delete(PODS, { namespace: NAMESPACE, name: 'digits-00001-0' });
    await loop.settle();
    expect(await loop.pods()).toEqual(['digits-00001-1']);
    expect(loop.routes.get('digits')?.revisions[0]?.pods).toMatchObject([
      { name: 'digits-00001-0', state: 'Terminating' },
    ]);
  });
});

describe('a new revision', () => {
  test('takes the traffic only when it is ready', async () => {
    await atZero();
    await loop.apply('digits', { scaling: SHORT_SCALING, batching: { maxBatchSize: 8 } });
    expect(await loop.revisions()).toEqual(['digits-00001', 'digits-00002']);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
    await loop.announce('digits-00002-0');
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00002', percent: 100 }]);
    expect((await loop.function('digits')).status?.latestReadyRevision).toBe('digits-00002');
  });

  test('is not made by a change of the function’s part', async () => {
    await atZero();
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, maxReplicas: 3 }, timeoutSeconds: 5 });
    expect(await loop.revisions()).toEqual(['digits-00001']);
    expect((await loop.function('digits')).status?.observedGeneration).toBe(2);
    expect(loop.routes.get('digits')?.timeoutSeconds).toBe(5);
  });

  test('that is broken leaves the old one serving and says why', async () => {
    await atZero();
    await loop.apply('digits', { scaling: SHORT_SCALING, model: { uri: 'https://models/cat.png' } });
    loop.runner.pod('digits-00002-0').exit(1, broken);
    await loop.walk(1);
    loop.runner.pod((await loop.pods())[0] ?? '').exit(1, broken);
    await loop.settle();
    expect(await loop.condition('function', 'digits', 'Ready')).toBe(
      'False ModelInvalid: Revision digits-00002: It is a picture of a cat (2 failed starts in a row); digits-00001 serves on',
    );
    expect(await loop.condition('function', 'digits', 'Stalled')).toMatch(/^True ModelInvalid/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
    expect(loop.routes.get('digits')?.revisions[1]?.failure).toEqual({
      reason: 'ModelInvalid',
      message: 'It is a picture of a cat',
    });
    const events = await loop.cluster.list(EVENTS);
    expect(
      events
        .filter(({ reason }) => reason === 'ModelInvalid')
        .map(({ involvedObject }) => involvedObject.kind)
        .sort(),
    ).toEqual(['ModelFunction', 'ModelRevision']);
  });

  test('gives the old pods back without waiting for the window, except those with requests', async () => {
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.announce('digits-00001-0');
    await loop.demand('digits-00001', { inFlight: 1 });
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 }, batching: { maxBatchSize: 8 } });
    await loop.announce('digits-00002-0');
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00002-0']);
    await loop.demand('digits-00001', {});
    await loop.walk(3);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
    expect(await loop.condition('revision', 'digits-00001', 'Active')).toMatch(/^False Retired/);
  });

  test('starts after the old pods are gone with the strategy Recreate, and callers wait for it', async () => {
    const spec = { scaling: { ...SHORT_SCALING, minReplicas: 1 }, rollout: { strategy: 'Recreate' as const } };
    await loop.apply('digits', spec);
    await loop.announce('digits-00001-0');
    loop.runner.pod('digits-00001-0').hangsOnTermination = true;
    await loop.apply('digits', { ...spec, batching: { maxBatchSize: 8 } });
    await loop.walk(2);
    expect(await loop.pods()).toEqual([]);
    expect(await loop.condition('revision', 'digits-00002', 'Ready')).toMatch(/^Unknown WaitingForOldPods/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00002', percent: 100 }]);
    loop.runner.pod('digits-00001-0').exit(0);
    await loop.walk(1);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
  });

  test('is the last thing kept of a long history', async () => {
    await loop.apply('digits', { scaling: SHORT_SCALING, revisionHistoryLimit: 1 });
    for (const [index, size] of [4, 8, 16, 2].entries()) {
      await loop.announce(`digits-0000${index + 1}-0`);
      await loop.apply('digits', { scaling: SHORT_SCALING, revisionHistoryLimit: 1, batching: { maxBatchSize: size } });
    }
    await loop.announce('digits-00005-0');
    await loop.walk(3);
    expect(await loop.revisions()).toEqual(['digits-00004', 'digits-00005']);
  });
});

describe('traffic', () => {
  test('goes to named revisions and tags', async () => {
    await atZero();
    const traffic = [
      { revision: 'digits-00001', percent: 90, tag: 'old' },
      { revision: 'latest', percent: 10 },
    ];
    await loop.apply('digits', { scaling: SHORT_SCALING, traffic, batching: { maxBatchSize: 8 } });
    await loop.announce('digits-00002-0');
    expect((await loop.function('digits')).status?.traffic).toEqual([
      { revision: 'digits-00001', percent: 90, tag: 'old', url: 'http://old--digits.default' },
      { revision: 'digits-00002', percent: 10 },
    ]);
  });

  test('stays where it is when a name does not exist', async () => {
    await atZero();
    await loop.apply('digits', { scaling: SHORT_SCALING, traffic: [{ revision: 'digits-00009', percent: 100 }] });
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False RevisionMissing: .*digits-00009/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
  });
});

describe('a pod that fails', () => {
  test('is replaced at once, then with growing back-off, and the row ends when one stays ready', async () => {
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    const gaps: number[] = [];
    for (let failure = 0; failure < 4; failure++) {
      loop.runner.started.at(-1)?.exit(1, JSON.stringify({ reason: 'ModelFetchFailed', message: 'refused' }));
      await loop.settle();
      let gap = 0;
      for (; (await loop.pods()).length === 0; gap++) await loop.walk(1);
      gaps.push(gap);
    }
    expect(gaps).toEqual([0, 1, 2, 4]);
    expect((await loop.revision('digits-00001')).status?.lastFailure).toMatchObject({
      reason: 'ModelFetchFailed',
      message: 'refused',
    });
    await loop.announce((await loop.pods())[0] ?? '');
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^True/);
    await loop.walk(11);
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toMatch(/^True/);
    expect((await loop.revision('digits-00001')).status?.lastFailure).toMatchObject({ message: 'refused' });
    const [ended] = await loop.pods();
    loop.runner.started.at(-1)?.exit(1, broken);
    await loop.settle();
    expect(await loop.pods()).not.toEqual([ended]);
    expect(await loop.pods()).toHaveLength(1);
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toBe(
      'False ModelInvalid: It is a picture of a cat',
    );
  });

  test('for ever is refused to callers while the next start is not due, and tried at once when the spec changes', async () => {
    await loop.apply('digits', { scaling: SHORT_SCALING });
    for (let failure = 0; failure < 5; failure++) {
      loop.runner.started.at(-1)?.exit(1, broken);
      await loop.settle();
      for (let waited = 0; (await loop.pods()).length === 0 && failure < 4; waited++) await loop.walk(1);
    }
    const failure = () => loop.routes.get('digits')?.revisions[0]?.failure?.reason;
    expect(await loop.pods()).toEqual([]);
    expect(failure()).toBe('ModelInvalid');
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, maxReplicas: 2 } });
    expect(await loop.pods()).toHaveLength(1);
    expect(failure()).toBeUndefined();
  });

  test('to be ready in time is removed, and the function says so', async () => {
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.walk(60);
    expect(await loop.pods()).toEqual(['digits-00001-1']);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(
      /StartTimeout: Revision digits-00001: The pod was not ready within 60 s/,
    );
    await loop.walk(62);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect((await loop.revision('digits-00001')).status?.lastFailure?.time).toBe('2026-01-01T00:02:00Z');
  });
});

describe('somebody else’s', () => {
  test('pod with the name of ours is left alone, named in the status, and stepped over', async () => {
    const foreign: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'digits-00001-0', namespace: NAMESPACE },
      spec: { containers: [{ name: 'theirs', image: 'theirs:1' }] },
    };
    const { metadata } = await loop.cluster.create(PODS, foreign);
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
    expect((await loop.pod('digits-00001-0')).metadata.uid).toBe(metadata.uid);
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toMatch(
      /^False NotOwned: .*digits-00001-0/,
    );
    await loop.cluster.delete(PODS, { namespace: NAMESPACE, name: 'digits-00001-0' });
    await loop.announce('digits-00001-1');
    await loop.walk(31);
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toMatch(/^True/);
  });

  test('pod with our labels counts for nothing and is left alone', async () => {
    const labels = { 'pilotlight.dev/revision': 'digits-00001', ...RUNTIME_POD_LABELS };
    const { apiVersion, kind } = SECRETS;
    const secret = { apiVersion, kind, metadata: { name: 'owner', namespace: NAMESPACE } };
    const { metadata: owner } = await loop.cluster.create(SECRETS, secret);
    const ownerReferences = [{ apiVersion, kind, name: owner.name, uid: owner.uid ?? '' }];
    await loop.cluster.create(PODS, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'digits-00001-0', namespace: NAMESPACE, labels, ownerReferences },
      spec: { containers: [{ name: 'theirs', image: 'theirs:1' }] },
    });
    await loop.apply('digits', { scaling: SHORT_SCALING });
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
    await loop.announce('digits-00001-1');
    await loop.walk(20);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });

  test('revision with the name of ours stops the function with a reason', async () => {
    const { spec } = await atZero().then(() => loop.revision('digits-00001'));
    await loop.cluster.create(MODEL_REVISIONS, {
      apiVersion: 'pilotlight.dev/v1alpha1',
      kind: 'ModelRevision',
      metadata: { name: 'digits-00002', namespace: NAMESPACE },
      spec,
    });
    await loop.apply('digits', { scaling: SHORT_SCALING, batching: { maxBatchSize: 8 } });
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False NotOwned: ModelRevision digits-00002/);
    expect(await loop.condition('function', 'digits', 'Stalled')).toMatch(/^True NotOwned/);
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
  });
});

describe('a function that is deleted', () => {
  test('loses its route at once and leaves nothing', async () => {
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 2 } });
    await loop.announce('digits-00001-0');
    expect(loop.routes.size).toBe(1);
    await loop.delete('digits');
    expect(loop.routes.size).toBe(0);
    await loop.walk(2);
    expect([...(await loop.cluster.list(PODS)), ...(await loop.cluster.list(MODEL_REVISIONS))]).toEqual([]);
  });

  test('begins anew when it is made again', async () => {
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.delete('digits');
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(1);
    expect(await loop.revisions()).toEqual(['digits-00001']);
    expect(await loop.pods()).toHaveLength(1);
  });
});

test('pods whose revision is gone without them are deleted', async () => {
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
  const pod = await loop.pod('digits-00001-0');
  await loop.cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, ownerReferences: [] } });
  await loop.delete('digits');
  await loop.walk(1);
  expect(await loop.cluster.list(PODS)).toEqual([]);
});
