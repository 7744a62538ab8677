/** The end of a function while it works, and of a namespace under it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Faults } from '../cluster/memory/faults.ts';
import { ClusterError, type KubernetesObject, type Resource } from '../cluster/port.ts';
import { EVENTS, MODEL_FUNCTIONS, MODEL_REVISIONS, NETWORK_POLICIES, PODS, SERVICES } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

let loop: ControlLoop;

afterEach(() => loop.close());

const KINDS: readonly Resource<KubernetesObject>[] = [
  NETWORK_POLICIES,
  PODS,
  SERVICES,
  MODEL_REVISIONS,
  MODEL_FUNCTIONS,
];

async function left(): Promise<string[]> {
  const lists = KINDS.map((resource) => loop.cluster.list(resource));
  return (await Promise.all(lists)).flat().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
}

async function underLoad(): Promise<void> {
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 3 } });
  await loop.walk(4);
  await loop.announce('digits-00001-0');
  await loop.demand('digits-00001', { inFlight: 24, queued: 4 });
  await loop.walk(4);
  for (const name of await loop.pods()) {
    await loop.announce(name);
    loop.drains.set(name, 'Busy');
  }
  expect((await loop.pods()).length).toBeGreaterThanOrEqual(3);
}

describe('a function that is deleted under load', () => {
  const late: Faults['delivery'] = ({ resource }) => {
    if (resource.endsWith('ModelFunction')) return { type: 'Delayed', milliseconds: 3000 };
    return resource.endsWith('ModelRevision') ? { type: 'Delayed', milliseconds: 1000 } : undefined;
  };

  test.each<[string, Faults]>([
    ['at once', {}],
    ['late and in another order', { delivery: late }],
  ])(
    'leaves nothing behind, and starts nothing more for requests that gateways hold; it is seen %s',
    async (_name, faults) => {
      const made: string[] = [];
      const call: Faults['call'] = ({ verb, key }) => {
        if (verb === 'create') made.push(key?.name ?? '');
        return undefined;
      };
      loop = await new ControlLoop({ faults: { ...faults, call } }).start();
      await underLoad();
      const pods = await loop.pods();
      for (const name of pods) loop.runner.pod(name).hangsOnTermination = true;
      made.length = 0;
      await loop.delete('digits');
      await loop.walk(5);
      expect(loop.routes.has('digits')).toBe(false);
      expect(await left()).toEqual(pods.map((name) => `Pod ${name}`));
      for (const name of pods) loop.runner.pod(name).exit(0);
      await loop.demand('digits-00001', { queued: 4 });
      await loop.walk(20);
      expect(await left()).toEqual([]);
      expect(made.filter((name) => !name.includes('.'))).toEqual([]);
    },
  );
});

test('a function that is made again while pods of the former one end calls them nobody’s', async () => {
  loop = await new ControlLoop().start();
  await underLoad();
  const [first = ''] = await loop.pods();
  for (const name of await loop.pods()) loop.runner.pod(name).hangsOnTermination = true;
  await loop.delete('digits');
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, minReplicas: 3 } });
  await loop.walk(1);
  expect(await loop.cluster.get(PODS, { namespace: NAMESPACE, name: first })).toBeDefined();
  expect(await loop.condition('revision', 'digits-00001', 'PodsHealthy')).not.toMatch(/NotOwned/);
  expect((await loop.cluster.list(EVENTS)).filter(({ reason }) => reason === 'NotOwned')).toEqual([]);
});

describe('a namespace that is being deleted', () => {
  const message = 'is forbidden: unable to create new content in namespace default because it is being terminated';
  let isEnding: boolean;
  let refused: string[];

  async function start(): Promise<void> {
    isEnding = false;
    refused = [];
    loop = await new ControlLoop({
      faults: {
        call: ({ verb, resource, key }) => {
          if (!isEnding || verb !== 'create') return undefined;
          if (!resource.endsWith('/Event')) refused.push(`${resource} ${key?.name ?? ''}`);
          const causes = [{ field: 'metadata.namespace', message: 'namespace default is being terminated' }];
          return new ClusterError('Forbidden', `"${key?.name ?? ''}" ${message}`, { status: 403, causes });
        },
      },
    }).start();
  }

  test('takes everything along in any order; nobody is told of a failure, and nothing is tried hotly', async () => {
    await start();
    await underLoad();
    const events = (await loop.cluster.list(EVENTS)).length;
    isEnding = true;
    // The namespace's controller deletes by resource, and functions may come last.
    for (const resource of KINDS.slice(0, -1)) {
      for (const { metadata } of await loop.cluster.list(resource)) {
        await loop.cluster.delete(resource, { namespace: NAMESPACE, name: metadata.name }).catch(() => undefined);
      }
      await loop.walk(2);
      expect(await loop.condition('function', 'digits', 'Ready')).not.toMatch(/Quota|Invalid|Refused|terminated/);
    }
    // One of somebody else's finalizers holds it back.
    await loop.walk(60);
    expect(refused.length).toBeLessThan(20);
    expect(
      (await loop.function('digits')).status?.conditions?.filter(({ reason }) => /Quota|Invalid|Refused/.test(reason)),
    ).toEqual([]);
    await loop.delete('digits');
    await loop.walk(1);
    const after = refused.length;
    expect(await left()).toEqual([]);
    await loop.walk(120);
    expect(refused).toHaveLength(after);
    expect((await loop.cluster.list(EVENTS)).length).toBeLessThanOrEqual(events);
  });

  test('lets no new function begin, and says nothing about it', async () => {
    await start();
    await loop.write('digits', { scaling: SHORT_SCALING });
    isEnding = true;
    await loop.settle();
    await loop.walk(90);
    expect(refused.length).toBeLessThan(15);
    const fn = await loop.cluster.get(MODEL_FUNCTIONS, { namespace: NAMESPACE, name: 'digits' });
    expect(fn?.status?.conditions ?? []).toEqual([]);
  });
});
