/** The NetworkPolicy of a namespace with functions, with everything that people and a stop of the operator do to it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { MemoryClusterOptions } from '../cluster/memory/memory-cluster.ts';
import { EVENTS, MODEL_FUNCTIONS, NETWORK_POLICIES, type NetworkPolicy } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

const key = { namespace: NAMESPACE, name: 'pilotlight-runtime' };
const foreign: NetworkPolicy = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: key,
  spec: { podSelector: {}, policyTypes: ['Ingress'] },
};

let loop: ControlLoop;

async function start(options: Partial<MemoryClusterOptions> = {}): Promise<void> {
  loop = await new ControlLoop(options).start();
}

async function policies(): Promise<string[]> {
  return (await loop.cluster.list(NETWORK_POLICIES)).map(
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name}`,
  );
}

async function policy(): Promise<NetworkPolicy> {
  const found = await loop.cluster.get(NETWORK_POLICIES, key);
  if (found === undefined) throw new Error('There is no NetworkPolicy.');
  return found;
}

afterEach(() => loop.close());

test('comes with the first function of a namespace and goes with the last', async () => {
  await start();
  expect(await policies()).toEqual([]);
  await loop.apply('digits', { scaling: SHORT_SCALING });
  expect(await policies()).toEqual(['default/pilotlight-runtime']);
  await loop.apply('letters', { scaling: SHORT_SCALING });
  await loop.delete('digits');
  expect(await policies()).toEqual(['default/pilotlight-runtime']);
  await loop.delete('letters');
  expect(await policies()).toEqual([]);
});

test('goes also where the last function went while no operator ran', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.restart(() => loop.cluster.delete(MODEL_FUNCTIONS, { namespace: NAMESPACE, name: 'digits' }));
  expect(await policies()).toEqual([]);
});

test('is put right when somebody edits or deletes it', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  const { spec } = await policy();
  await loop.cluster.update(NETWORK_POLICIES, { ...(await policy()), spec: { podSelector: {}, ingress: [{}] } });
  await loop.settle();
  expect((await policy()).spec).toEqual(spec);
  await loop.cluster.delete(NETWORK_POLICIES, key);
  await loop.settle();
  expect((await policy()).spec).toEqual(spec);
});

test('can be turned off, and on again', async () => {
  await start();
  await loop.apply('digits', { scaling: SHORT_SCALING });
  loop.networkPolicies = false;
  await loop.restart();
  expect(await policies()).toEqual([]);
  await loop.apply('letters', { scaling: SHORT_SCALING });
  expect(await policies()).toEqual([]);
  loop.networkPolicies = true;
  await loop.restart();
  expect(await policies()).toEqual(['default/pilotlight-runtime']);
});

describe('somebody else’s of that name', () => {
  test('is untouched and told of, stops no function, and is followed by ours within 30 s of its end', async () => {
    await start();
    const theirs = await loop.cluster.create(NETWORK_POLICIES, foreign);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.announce('digits-00001-0');
    expect(await policy()).toEqual(theirs);
    expect(await loop.condition('function', 'digits', 'Ready')).toMatch(/^True/);
    const events = (await loop.cluster.list(EVENTS)).filter(({ reason }) => reason === 'NotOwned');
    expect(events).toMatchObject([{ type: 'Warning', involvedObject: { kind: 'NetworkPolicy', name: key.name } }]);
    await loop.cluster.delete(NETWORK_POLICIES, key);
    await loop.walk(30);
    expect((await policy()).spec?.ingress).toHaveLength(3);
  });

  test('is what ours becomes without the label, until it has it again', async () => {
    await start();
    await loop.apply('digits', { scaling: SHORT_SCALING });
    const { metadata, spec } = await policy();
    const theirs = { ...foreign, metadata: { ...metadata, labels: {} } };
    for (const count of [1, 2]) {
      const { resourceVersion = '' } = (await policy()).metadata;
      const { metadata: stripped } = await loop.cluster.update(NETWORK_POLICIES, {
        ...theirs,
        metadata: { ...theirs.metadata, resourceVersion },
      });
      await loop.walk(31);
      expect((await policy()).metadata).toEqual(stripped);
      const events = (await loop.cluster.list(EVENTS)).filter(({ reason }) => reason === 'NotOwned');
      expect(events).toMatchObject([{ count }]);
      await loop.cluster.update(NETWORK_POLICIES, {
        ...theirs,
        metadata: { ...stripped, labels: metadata.labels ?? {} },
      });
      await loop.settle();
      expect((await policy()).spec).toEqual(spec);
    }
  });

  test('is not watched', async () => {
    let told = 0;
    await start({
      faults: {
        delivery: ({ resource }) => {
          if (resource.endsWith('/NetworkPolicy')) told += 1;
          return undefined;
        },
      },
    });
    await loop.cluster.create(NETWORK_POLICIES, foreign);
    await loop.cluster.create(NETWORK_POLICIES, { ...foreign, metadata: { ...key, namespace: 'elsewhere' } });
    await loop.settle();
    expect(told).toBe(0);
  });

  test('is left alone where functions go, and where policies are turned off', async () => {
    await start();
    await loop.cluster.create(NETWORK_POLICIES, foreign);
    await loop.apply('digits', { scaling: SHORT_SCALING });
    await loop.delete('digits');
    loop.networkPolicies = false;
    await loop.restart();
    expect(await policies()).toEqual(['default/pilotlight-runtime']);
  });
});
