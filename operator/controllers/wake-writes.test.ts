/** What the API server is asked to write while functions wake, grow and end: each write costs it, its store and every watch of it about 10 ms of CPU. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ControlLoop, SHORT_SCALING } from './control-loop-fixture.ts';

const READS = new Set(['get', 'list']);
/** As long as a watch takes on a real cluster, so that what was written is seen again. */
const WATCH_MILLISECONDS = 20;

let loop: ControlLoop;
let writes: string[];

beforeEach(async () => {
  loop = await new ControlLoop({
    faults: {
      call: ({ verb, resource }) => {
        if (!READS.has(verb)) writes.push(`${verb} ${resource.slice(resource.lastIndexOf('/') + 1)}`);
        return undefined;
      },
      delivery: () => ({ type: 'Delayed', milliseconds: WATCH_MILLISECONDS }),
    },
  }).start();
  writes = [];
  await loop.apply('digits', { scaling: SHORT_SCALING });
  await loop.walk(1);
  await start('digits-00001-0');
  await loop.walk(30);
  expect(await loop.pods()).toEqual([]);
  writes = [];
});

afterEach(() => loop.close());

/** The pod announces itself, then the kubelet says that it is ready. */
async function start(pod: string): Promise<void> {
  await loop.announce(pod);
  await loop.clock.advance(200);
  loop.runner.pod(pod).becomeReady();
  await loop.clock.advance(200);
}

function counted(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const write of writes) counts[write] = (counts[write] ?? 0) + 1;
  return counts;
}

test('a wake and its end are told once each', async () => {
  await loop.demand('digits-00001', { queued: 1 });
  // Its pod is made before anything is told.
  expect(writes).toEqual(['create Pod']);
  await loop.clock.advance(400);
  await start('digits-00001-0');
  await loop.demand('digits-00001', {});
  await loop.walk(2);
  expect(counted()).toEqual({
    'create Pod': 1,
    'scale ModelRevision': 1,
    'patchStatus ModelRevision': 1,
    'patchStatus ModelFunction': 1,
    'update Event': 1,
  });
  writes = [];
  await loop.walk(60);
  expect(await loop.pods()).toEqual([]);
  expect(counted()).toEqual({
    'delete Pod': 1,
    'scale ModelRevision': 1,
    'patchStatus ModelRevision': 1,
    'patchStatus ModelFunction': 1,
    'update Event': 1,
  });
});

test('pods that become ready one after the other within a second are told together', async () => {
  await loop.apply('digits', { scaling: { ...SHORT_SCALING, activationReplicas: 5 } });
  await loop.walk(1);
  writes = [];
  await loop.demand('digits-00001', { queued: 1 });
  await loop.walk(1);
  for (let at = 0; at < 5; at++) {
    await loop.announce(`digits-00001-${at}`);
    await loop.clock.advance(100);
  }
  await loop.walk(3);
  expect((await loop.revision('digits-00001')).status).toMatchObject({ readyReplicas: 5, desiredReplicas: 5 });
  expect((await loop.function('digits')).status).toMatchObject({ replicas: 5, desiredReplicas: 5 });
  expect(counted()).toEqual({
    'create Pod': 5,
    'scale ModelRevision': 1,
    'patchStatus ModelRevision': 2,
    'patchStatus ModelFunction': 2,
    'create Event': 1,
  });
});
