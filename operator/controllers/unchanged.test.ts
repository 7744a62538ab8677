/** Where nothing is to be done, nothing is written: counted at the API server, with every kind of object that the operator keeps. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { MODEL_FUNCTIONS } from '../cluster/resources.ts';
import { ControlLoop } from './control-loop-fixture.ts';

const READS = new Set(['get', 'list']);
const scaling = { stableWindowSeconds: 6, startTimeoutSeconds: 60 };

let loop: ControlLoop;
let writes: string[];

beforeEach(async () => {
  loop = await new ControlLoop({
    faults: {
      call: ({ verb, resource, key }) => {
        if (!READS.has(verb)) writes.push(`${verb} ${resource} ${key?.name ?? ''}`);
        return undefined;
      },
    },
  }).start();
  writes = [];
  // One at zero, with two revisions and a tag, and one that serves.
  const traffic = [
    { revision: 'latest', percent: 90 },
    { revision: 'digits-00001', percent: 10, tag: 'old' },
  ];
  await loop.apply('digits', { scaling });
  await loop.announce('digits-00001-0');
  await loop.apply('digits', { scaling, traffic, batching: { maxBatchSize: 1 } });
  await loop.announce('digits-00002-0');
  await loop.apply('letters', { scaling: { ...scaling, minReplicas: 1 } });
  await loop.announce('letters-00001-0');
  loop.runner.pod('letters-00001-0').becomeReady();
  await loop.walk(60);
  expect(await loop.pods()).toEqual(['letters-00001-0']);
  expect(writes).not.toEqual([]);
  writes = [];
});

afterEach(async () => {
  await loop.close();
  expect(loop.clock.pending).toBe(0);
});

test('time and a steady load write nothing', async () => {
  await loop.demand('letters-00001', { inFlight: 5 });
  await loop.walk(60);
  writes = [];
  await loop.walk(1200);
  expect(writes).toEqual([]);
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
