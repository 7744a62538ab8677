/** What a real cluster does to the control loop: it is late, it refuses, it has no room, and the operator itself comes and goes. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MemoryClusterOptions } from '../cluster/memory/memory-cluster.ts';
import { LABELS } from '../../common/api/names.ts';
import { ClusterError } from '../cluster/port.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS } from '../cluster/resources.ts';
import { ControlLoop, SHORT_SCALING } from './control-loop-fixture.ts';

let loop: ControlLoop;

async function start(options: Partial<MemoryClusterOptions> = {}): Promise<void> {
  loop = await new ControlLoop(options).start();
}

afterEach(() => loop.close());

test('a late watch of pods makes no pod too many and removes none too many', async () => {
  await start({
    faults: {
      delivery: ({ resource }) =>
        resource.endsWith('pods') || resource.endsWith('Pod') ? { type: 'Delayed', milliseconds: 3000 } : undefined,
    },
  });
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 3 } });
  const seen = new Set<string>();
  for (let second = 0; second < 8; second++) {
    for (const name of await loop.pods()) seen.add(name);
    await loop.walk(1);
  }
  expect([...seen].sort()).toEqual(['digits-00001-0', 'digits-00001-1', 'digits-00001-2']);
  for (const name of seen) await loop.announce(name);
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
  await loop.walk(20);
  expect(await loop.pods()).toEqual(['digits-00001-0']);
  expect(loop.asked).toEqual(['digits-00001-2', 'digits-00001-1']);
});

describe('with a watch that is behind that of what it owns,', () => {
  /** Deliveries of the resource are late; and nothing is made more than 20 times, or a loop would never end. */
  function late(kind: string): { readonly made: string[]; readonly options: Partial<MemoryClusterOptions> } {
    const made: string[] = [];
    return {
      made,
      options: {
        faults: {
          delivery: ({ resource }) => (resource.endsWith(kind) ? { type: 'Delayed', milliseconds: 3000 } : undefined),
          call: ({ verb, key }) => {
            if (verb !== 'create') return undefined;
            made.push(key?.name ?? '');
            return made.length > 20 ? new ClusterError('Unavailable', 'Enough') : undefined;
          },
        },
      },
    };
  }

  test('no revision is made for a function that is gone', async () => {
    const { made, options } = late('ModelFunction');
    await start(options);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(4);
    await loop.announce('digits-00001-0');
    made.length = 0;
    await loop.delete('digits');
    await loop.walk(5);
    expect(made.filter((name) => name.startsWith('digits-'))).toEqual([]);
  });

  test('no pod is made for a revision that is gone', async () => {
    const { made, options } = late('ModelRevision');
    await start(options);
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.walk(4);
    await loop.announce('digits-00001-0');
    made.length = 0;
    await loop.cluster.delete(MODEL_REVISIONS, { namespace: 'default', name: 'digits-00001' });
    await loop.walk(2);
    expect(made.filter((name) => name.startsWith('digits-00001-'))).toEqual([]);
  });
});

describe('an API server that refuses', () => {
  test('a pod for a quota is quoted, and asked again with back-off', async () => {
    let refuses = true;
    const message = 'pods "digits-00001-0" is forbidden: exceeded quota: gpus, requested: 1, used: 4, limited: 4';
    let asked = 0;
    await start({
      faults: {
        call: ({ verb, resource }) => {
          if (verb !== 'create' || !resource.endsWith('/Pod')) return undefined;
          asked += 1;
          return refuses ? new ClusterError('Forbidden', message, { status: 403 }) : undefined;
        },
      },
    });
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(10);
    expect(asked).toBeLessThan(8);
    expect(await loop.condition('function', 'digits', 'Ready')).toContain(
      `QuotaExceeded: Revision digits-00001: ${message}`,
    );
    refuses = false;
    await loop.walk(10);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });

  test('everything for a while loses nothing', async () => {
    let down = false;
    await start({
      faults: { call: () => (down ? new ClusterError('Unavailable', 'The API server is down') : undefined) },
    });
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    await loop.walk(20);
    down = true;
    await loop.demand('digits-00001', { queued: 1 });
    await loop.walk(10);
    down = false;
    await loop.walk(20);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect((await loop.revision('digits-00001')).spec.replicas).toBe(1);
  });
});

test('where nothing fits, one pod waits for a node and the status has the scheduler’s words', async () => {
  await start({ capacity: { 'nvidia.com/gpu': '2', pods: '110' } });
  await loop.apply('digits', {
    scaling: { ...SHORT_SCALING, minReplicas: 4 },
    resources: { limits: { 'nvidia.com/gpu': 1 } },
  });
  await loop.walk(2);
  expect(await loop.pods()).toHaveLength(3);
  expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toMatch(
    /^False Unschedulable: .*nvidia\.com\/gpu/,
  );
  await loop.walk(120);
  const waiting = (await loop.cluster.list(PODS)).filter(({ spec }) => spec.nodeName === undefined);
  expect(waiting).toHaveLength(1);
});

describe('a pod that the cluster takes away', () => {
  test('with its node is replaced when that begins, however long the node keeps it, and the revision keeps the reason', async () => {
    await start();
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.announce('digits-00001-0');
    loop.runner.pod('digits-00001-0').hangsOnTermination = true;
    const { conditions = [] } = (await loop.pod('digits-00001-0')).status ?? {};
    const message = 'Taint manager: deleting due to NoExecute taint';
    await loop.cluster.patchStatus(
      PODS,
      { namespace: 'default', name: 'digits-00001-0' },
      {
        conditions: [
          ...conditions,
          { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message },
        ],
      },
    );
    await loop.cluster.delete(PODS, { namespace: 'default', name: 'digits-00001-0' });
    await loop.settle();
    expect(await loop.pods()).toEqual(['digits-00001-1']);
    expect((await loop.pod('digits-00001-0')).metadata.deletionTimestamp).toBeDefined();
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toBe(
      `False Evicted: DeletionByTaintManager: ${message}`,
    );
    await loop.announce('digits-00001-1');
    await loop.walk(12);
    expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).toMatch(/^True/);
    expect((await loop.revision('digits-00001')).status?.lastFailure).toMatchObject({ reason: 'Evicted' });
  });

  test('is not counted as a failure when somebody deleted it', async () => {
    await start();
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.announce('digits-00001-0');
    await loop.cluster.delete(PODS, { namespace: 'default', name: 'digits-00001-0' });
    await loop.settle();
    expect(await loop.pods()).toEqual(['digits-00001-1']);
    expect((await loop.revision('digits-00001')).status?.lastFailure).toBeUndefined();
  });
});

describe('with the strategy Recreate, a new revision', () => {
  const recreate = { scaling: SHORT_SCALING, rollout: { strategy: 'Recreate' as const } };
  const broken = JSON.stringify({ reason: 'ModelInvalid', message: 'No model' });

  test('that is broken gives the traffic back to the old one, and does not stand in its way', async () => {
    await start({ capacity: { 'nvidia.com/gpu': '1', pods: '110' } });
    const resources = { limits: { 'nvidia.com/gpu': 1 } };
    await loop.apply('digits', { ...recreate, resources });
    await loop.announce('digits-00001-0');
    await loop.apply('digits', { ...recreate, resources, batching: { maxBatchSize: 1 } });
    expect(await loop.pods()).toEqual(['digits-00002-0']);
    for (let failure = 0; failure < 2; failure++) {
      loop.runner.started.at(-1)?.exit(1, broken);
      await loop.walk(1);
    }
    expect(loop.routes.get('digits')?.traffic).toEqual([{ revision: 'digits-00001', percent: 100 }]);
    await loop.demand('digits-00001', { queued: 1 });
    await loop.walk(2);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    expect((await loop.pod('digits-00001-0')).spec.nodeName).toBeDefined();
  });
});

test('with the strategy Recreate, a new revision does not wait for ever for a pod that is lost with its node', async () => {
  const recreate = {
    scaling: { ...SHORT_SCALING, startTimeoutSeconds: 600 },
    rollout: { strategy: 'Recreate' as const },
  };
  await start();
  await loop.apply('digits', recreate);
  await loop.announce('digits-00001-0');
  const { metadata, ...pod } = await loop.pod('digits-00001-0');
  // Its object outlives it.
  await loop.cluster.update(PODS, { ...pod, metadata: { ...metadata, finalizers: ['example.com/lost'] } });
  await loop.apply('digits', { ...recreate, batching: { maxBatchSize: 1 } });
  await loop.walk(20);
  expect(await loop.pods()).toEqual([]);
  await loop.walk(120);
  expect((await loop.pod('digits-00001-0')).metadata.deletionTimestamp).toBeDefined();
  expect(await loop.pods()).toEqual(['digits-00002-0']);
});

describe('another operator that takes over', () => {
  test('keeps what runs under load and goes on', async () => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    await loop.demand('digits-00001', { inFlight: 24 });
    await loop.walk(4);
    const pods = await loop.pods();
    expect(pods.length).toBeGreaterThanOrEqual(3);
    for (const name of pods) await loop.announce(name);
    const revisions = await loop.revisions();
    await loop.restart();
    expect(await loop.pods()).toEqual(pods);
    await loop.walk(30);
    expect(await loop.revisions()).toEqual(revisions);
    expect((await loop.pods()).length).toBeGreaterThanOrEqual(3);
    expect(loop.routes.get('digits')?.revisions[0]?.pods).toHaveLength((await loop.pods()).length);
    await loop.demand('digits-00001', {});
    await loop.walk(30);
    expect(await loop.pods()).toEqual([]);
  });

  test('writes nothing where nothing is to do', async () => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    await loop.walk(20);
    const before = [await loop.function('digits'), await loop.revision('digits-00001')];
    await loop.restart();
    await loop.walk(10);
    expect([await loop.function('digits'), await loop.revision('digits-00001')]).toEqual(before);
  });

  test('collects what was left of a function that was deleted meanwhile', async () => {
    await start();
    await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
    await loop.announce('digits-00001-0');
    await loop.cluster.delete(MODEL_FUNCTIONS, { namespace: 'default', name: 'digits' });
    await loop.restart();
    await loop.walk(1);
    expect([...(await loop.cluster.list(PODS)), ...(await loop.cluster.list(MODEL_REVISIONS))]).toEqual([]);
  });
});

test('a pod is asked to go with the token that it was made with, whichever key signs now', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.announce('digits-00001-0');
  loop.signingKey = { id: 'next', secret: 'bmV4dA' };
  for (let second = 0; loop.asked.length === 0; second++) await loop.walk(1);
  expect(loop.asked).toEqual(['digits-00001-0']);
});

test('a pod that does not answer when it is asked to go is deleted after a while', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.announce('digits-00001-0');
  loop.drains.set('digits-00001-0', 'Unreachable');
  for (let second = 0; loop.asked.length === 0; second++) await loop.walk(1);
  await loop.walk(2);
  expect(await loop.pods()).toEqual(['digits-00001-0']);
  await loop.walk(4);
  expect(await loop.pods()).toEqual([]);
});

test('a function is woken at once while the pods of many others do not answer, as after the loss of their node', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.announce('digits-00001-0');
  await loop.walk(30);
  expect(await loop.pods()).toEqual([]);
  const others = Array.from({ length: 40 }, (_, at) => `other-${at}`);
  for (const name of others) {
    await loop.apply(name, { scaling: SHORT_SCALING });
    await loop.announce(`${name}-00001-0`);
    loop.drains.set(`${name}-00001-0`, 'Unreachable');
  }
  loop.asked.length = 0;
  loop.unreachableMilliseconds = 1000;
  for (let second = 0; loop.asked.length === 0; second++) await loop.walk(1);
  await loop.demand('digits-00001', { queued: 1 });
  expect(await loop.pods()).toContain('digits-00001-0');
  // What still asks comes to its end.
  loop.unreachableMilliseconds = 0;
  await loop.walk(2);
});

describe('a revision that lost its traffic', () => {
  const slow = { scaling: { ...SHORT_SCALING, stableWindowSeconds: 600 }, rollout: { strategy: 'Recreate' as const } };

  test('gives back its pods as soon as its last request ends, and the new one starts then', async () => {
    await start();
    await loop.apply('digits', slow);
    await loop.announce('digits-00001-0');
    await loop.demand('digits-00001', { inFlight: 1 });
    await loop.walk(4);
    await loop.apply('digits', { ...slow, batching: { maxBatchSize: 1 } });
    await loop.walk(4);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
    await loop.demand('digits-00001', {});
    await loop.walk(3);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
  });

  test('is woken by a request that a gateway still holds for it', async () => {
    await start();
    await loop.apply('digits', { scaling: slow.scaling });
    await loop.announce('digits-00001-0');
    await loop.demand('digits-00001', { inFlight: 1 });
    await loop.walk(4);
    await loop.demand('digits-00001', {});
    await loop.apply('digits', { scaling: slow.scaling, batching: { maxBatchSize: 1 } });
    await loop.announce('digits-00002-0');
    await loop.walk(3);
    expect(await loop.pods()).toEqual(['digits-00002-0']);
    await loop.demand('digits-00001', { queued: 1 });
    expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00002-0']);
  });
});

test('an operator that has just started removes no pod before a gateway told it which ones serve', async () => {
  await start();
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 2 } });
  await loop.announce('digits-00001-0');
  await loop.announce('digits-00001-1');
  loop.drains.set('digits-00001-0', 'Busy').set('digits-00001-1', 'Busy');
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 2 }, batching: { maxBatchSize: 1 } });
  await loop.announce('digits-00002-0');
  await loop.restart();
  expect(loop.runner.pod('digits-00001-0').signals).toEqual([]);
});

test('a pod whose labels somebody took off, to look into it, is replaced', async () => {
  await start();
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
  await loop.announce('digits-00001-0');
  const pod = await loop.pod('digits-00001-0');
  const labels = { ...pod.metadata.labels, [LABELS.revision]: 'none' };
  await loop.cluster.update(PODS, { ...pod, metadata: { ...pod.metadata, labels } });
  await loop.settle();
  expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
  await loop.announce('digits-00001-1');
  await loop.walk(40);
  expect(await loop.pods()).toEqual(['digits-00001-0', 'digits-00001-1']);
});

describe('a revision that is given up', () => {
  const gpu = { scaling: SHORT_SCALING, resources: { limits: { 'nvidia.com/gpu': 1 } } };

  test('says what its pod waited for', async () => {
    await start({ capacity: { pods: '110' } });
    await loop.apply('digits', gpu);
    await loop.walk(70);
    expect(await loop.pods()).toEqual([]);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(
      /^False Unschedulable: Revision digits-00001: The pod was not ready within 60 s: .*nvidia\.com\/gpu/,
    );
  });

  test('says that its pod was not ready in time, also when a node took it late', async () => {
    await start({ capacity: { 'nvidia.com/gpu': '1', pods: '110' } });
    await loop.apply('other', gpu);
    await loop.apply('digits', gpu);
    await loop.announce('other-00001-0');
    await loop.walk(70);
    expect(await loop.pods()).toEqual([]);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^False StartTimeout/);
  });

  test('hands nothing down to another one of its name', async () => {
    await start({
      faults: {
        delivery: ({ resource }) =>
          resource.endsWith('ModelRevision') ? { type: 'Delayed', milliseconds: 3000 } : undefined,
      },
    });
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(70);
    expect(await loop.pods()).toEqual([]);
    await loop.delete('digits');
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(1);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });
});

test('a pod that a deletion left without an owner goes with its revision', async () => {
  await start();
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
  await loop.announce('digits-00001-0');
  const { metadata, ...pod } = await loop.pod('digits-00001-0');
  await loop.cluster.update(PODS, { ...pod, metadata: { ...metadata, ownerReferences: [] } });
  await loop.delete('digits');
  expect(await loop.pods()).toEqual([]);
});

test('a pod that starts well after an operator took over ends the row of failures', async () => {
  await start();
  const broken = JSON.stringify({ reason: 'ModelInvalid', message: 'No model' });
  await loop.apply('digits', { scaling: SHORT_SCALING });
  for (let failure = 0; failure < 2; failure++) {
    loop.runner.started.at(-1)?.exit(1, broken);
    await loop.walk(2);
  }
  expect(await loop.condition('revision', 'digits-00001', 'Ready')).toMatch(/^False ModelInvalid/);
  await loop.restart();
  await loop.announce('digits-00001-0');
  await loop.walk(30);
  expect(await loop.pods()).toEqual([]);
  expect(await loop.condition('revision', 'digits-00001', 'Ready')).toMatch(/^True Ready/);
});

test('a revision that the spec names is kept, though another one that it names does not exist', async () => {
  await start();
  const spec = { scaling: SHORT_SCALING, revisionHistoryLimit: 1 };
  await loop.apply('digits', spec);
  await loop.announce('digits-00001-0');
  const traffic = ['digits-00001', 'digits-00009'].map((revision) => ({ revision, percent: 50 }));
  for (const maxBatchSize of [2, 3, 4]) {
    await loop.apply('digits', { ...spec, batching: { maxBatchSize }, ...(maxBatchSize === 2 ? {} : { traffic }) });
    await loop.announce(`digits-0000${maxBatchSize}-0`);
    await loop.walk(20);
  }
  expect(await loop.revisions()).toContain('digits-00001');
});

test('a message of any length can be shown', async () => {
  await start({
    faults: {
      refusal: ({ metadata }) =>
        metadata.name.startsWith('digits') ? { reason: 'OutOfcpu', message: 'x'.repeat(50_000) } : undefined,
      call: ({ verb, resource, key }) =>
        verb === 'create' && resource.endsWith('/Pod') && key?.name.startsWith('other') === true
          ? new ClusterError('Invalid', 'y'.repeat(50_000), { status: 422 })
          : undefined,
    },
  });
  for (const [name, reason] of [
    ['digits', 'PodRejected'],
    ['other', 'PodRefused'],
  ] as const) {
    await loop.apply(name, { scaling: SHORT_SCALING });
    await loop.walk(10);
    expect(await loop.condition('revision', `${name}-00001`, 'PodsHealthy')).toMatch(`False ${reason}: `);
    // More than gateways read would end their stream.
    expect(loop.routes.get(name)?.revisions[0]?.failure?.message.length).toBeLessThan(10_000);
  }
});

test('going back to an older revision takes the room of the newer one, which is kept without pods', async () => {
  await start({ capacity: { 'nvidia.com/gpu': '1', pods: '110' } });
  const spec = {
    scaling: { ...SHORT_SCALING, minReplicas: 1 },
    resources: { limits: { 'nvidia.com/gpu': 1 } },
    rollout: { strategy: 'Recreate' as const },
    revisionHistoryLimit: 0,
  };
  const newer = { ...spec, batching: { maxBatchSize: 1 } };
  const traffic = [{ revision: 'digits-00001', percent: 100 }];
  await loop.apply('digits', { ...spec, revisionHistoryLimit: 1 });
  await loop.announce('digits-00001-0');
  await loop.apply('digits', { ...newer, revisionHistoryLimit: 1 });
  await loop.announce('digits-00002-0');
  await loop.apply('digits', { ...newer, traffic });
  await loop.walk(10);
  expect(await loop.pods()).toEqual(['digits-00001-0']);
  expect((await loop.pod('digits-00001-0')).spec.nodeName).toBeDefined();
  expect(await loop.revisions()).toEqual(['digits-00001', 'digits-00002']);
});

describe('a revision that the API server forbids', () => {
  const message = 'modelrevisions is forbidden: exceeded quota: models, used: count/modelrevisions.pilotlight.dev=3';

  test('is told on the function, and tried again now and then', async () => {
    let refuses = true;
    let asked = 0;
    await start({
      faults: {
        call: ({ verb, resource }) => {
          if (verb !== 'create' || !resource.endsWith('/ModelRevision')) return undefined;
          asked += 1;
          return refuses ? new ClusterError('Forbidden', message, { status: 403 }) : undefined;
        },
      },
    });
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.walk(20);
    expect(asked).toBeLessThan(4);
    expect(await loop.condition('function', 'digits', 'Ready')).toBe(`False QuotaExceeded: ${message}`);
    refuses = false;
    await loop.walk(31);
    expect(await loop.pods()).toEqual(['digits-00001-0']);
  });
});
