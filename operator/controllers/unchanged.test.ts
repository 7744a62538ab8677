/** Where nothing is to be done, nothing is written: counted at the API server, with every kind of object that the operator keeps. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MODEL_FUNCTIONS, NETWORK_POLICIES, SERVICES } from '../cluster/resources.ts';
import { ControlLoop, NAMESPACE, SHORT_SCALING } from './control-loop-fixture.ts';

const READS = new Set(['get', 'list']);

let loop: ControlLoop;
let writes: string[];
/** Of one object each, as the writes. */
let gets: string[];

beforeEach(async () => {
  loop = await new ControlLoop({
    faults: {
      call: ({ verb, resource, key }) => {
        const call = `${verb} ${resource} ${key?.name ?? ''}`;
        if (!READS.has(verb)) writes.push(call);
        else if (verb === 'get') gets.push(call);
        return undefined;
      },
    },
  }).start();
  writes = [];
  gets = [];
  // One at zero, with two revisions and a tag, and one that serves.
  const traffic = [
    { revision: 'latest', percent: 90 },
    { revision: 'digits-00001', percent: 10, tag: 'old' },
  ];
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.announce('digits-00001-0');
  await loop.apply('digits', { scaling: SHORT_SCALING, traffic, batching: { maxBatchSize: 1 } });
  await loop.announce('digits-00002-0');
  await loop.apply('letters', { scaling: { ...SHORT_SCALING, minReplicas: 1 } });
  await loop.announce('letters-00001-0');
  loop.runner.pod('letters-00001-0').becomeReady();
  await loop.walk(60);
  expect(await loop.pods()).toEqual(['letters-00001-0']);
  expect(writes).not.toEqual([]);
  writes = [];
});

afterEach(() => loop.close());

test('time and a steady load write nothing', async () => {
  await loop.demand('letters-00001', { inFlight: 5 });
  await loop.walk(60);
  writes = [];
  await loop.walk(1200);
  expect(writes).toEqual([]);
});

test('time with somebody else’s objects in the way writes nothing, and asks for each twice a minute', async () => {
  const metadata = { namespace: NAMESPACE, name: 'words' };
  await loop.cluster.create(SERVICES, { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } });
  for (const policy of await loop.cluster.list(NETWORK_POLICIES)) {
    await loop.cluster.update(NETWORK_POLICIES, { ...policy, metadata: { ...policy.metadata, labels: {} } });
  }
  await loop.apply('words', { scaling: SHORT_SCALING });
  await loop.announce('words-00001-0');
  await loop.walk(60);
  const before = await loop.function('words');
  expect(before.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Stalled', reason: 'NotOwned' }));
  writes = [];
  gets = [];
  await loop.walk(600);
  expect(writes).toEqual([]);
  const each = ['get networking.k8s.io/v1/NetworkPolicy pilotlight-runtime', 'get v1/Service words'];
  expect(gets.sort()).toEqual(each.flatMap((get) => Array.from({ length: 20 }, () => get)));
  expect(await loop.function('words')).toEqual(before);
});

test('another leader writes nothing', async () => {
  await loop.restart();
  await loop.walk(120);
  expect(writes).toEqual([]);
});

test('losing the lead and getting it again writes nothing', async () => {
  await loop.follow();
  await loop.walk(5);
  await loop.lead();
  await loop.walk(120);
  expect(writes).toEqual([]);
});

test('an event that changes nothing that matters is followed by no write', async () => {
  const { metadata, ...fn } = await loop.function('digits');
  await loop.cluster.update(MODEL_FUNCTIONS, { ...fn, metadata: { ...metadata, annotations: { looked: 'at' } } });
  await loop.walk(5);
  expect(writes).toEqual(['update pilotlight.dev/v1alpha1/ModelFunction digits']);
});
