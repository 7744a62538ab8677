/**
 * The control loop behind a bad network. Whatever happens to its requests, it makes each pod once, takes none away that is wanted, does not storm, and
 * goes on when the faults are over.
 */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { API_VERSION, LABELS } from '../../common/api/names.ts';
import type { Clock } from '../../common/platform/clock.ts';
import { createLogger } from '../../common/platform/logging.ts';
import { apply } from '../cluster/apply.ts';
import { kubernetesCluster, type KubernetesCluster } from '../cluster/kubernetes/kubernetes-cluster.ts';
import { API_SERVER_FAULTS } from '../cluster/kubernetes/testing/api-server-faults.ts';
import { startFaultingRelay, type FaultingRelay } from '../cluster/kubernetes/testing/faulting-relay.ts';
import { startMemoryApiServer, type MemoryApiServer } from '../cluster/kubernetes/testing/memory-api-server.ts';
import { testCluster, type TestCluster } from '../cluster/memory/test-cluster.ts';
import { MODEL_FUNCTIONS, PODS, type Pod } from '../cluster/resources.ts';
import { DemandLedger } from '../gateways/demand-ledger.ts';
import { DEFAULT_POD_SETTINGS } from '../pods/pod-settings.ts';
import { startControllers, type Controllers } from './start-controllers.ts';

const NAMESPACE = 'default';
const FUNCTION = { namespace: NAMESPACE, name: 'digits' };
const REVISION = 'digits-00001';
/** As many when there is an API server again, two pods to make and two statuses to write. */
const MOST_REQUESTS_ON_RETURN = 20;
/** Kinds of objects that it watches. */
const WATCHES = 5;
/** How long each fault lasts. */
const FAULT_SECONDS = 10;
/** Requests that the operator may make in that time, all controllers and watches together: what back-off leaves of thousands. */
const MOST_REQUESTS = 80;
/** Back-off after a fault of 10 s has grown to less. */
const RECOVERY_SECONDS = 60;

let world: TestCluster;
let server: MemoryApiServer;
let relay: FaultingRelay;
let cluster: KubernetesCluster;
let ledger: DemandLedger;
let controllers: Controllers | undefined;
let announced: Set<string>;
let sequence: number;
/** Milliseconds by which the operator's own clock has jumped. */
let skew: number;
/** Whether pods become ready. */
let announces: boolean;
/** What the one gateway has for the revision. */
let present: { inFlight: number; requestSeconds: number };

beforeEach(async () => {
  skew = 0;
  world = testCluster();
  const { clock } = world;
  server = await startMemoryApiServer(world.cluster, world.clock);
  relay = await startFaultingRelay({ url: server.url }, clock);
  const logger = createLogger('test', 'silent');
  const random = (): number => 0.5;
  // The operator's machine has a clock of its own, which may jump.
  const local: Clock = {
    now: () => clock.now() + skew,
    monotonic: () => clock.monotonic(),
    after: (milliseconds, callback) => clock.after(milliseconds, callback),
  };
  cluster = kubernetesCluster({ kubeconfigPath: relay.kubeconfigPath, clock: local, logger, random });
  ledger = new DemandLedger(0);
  controllers = undefined;
  announced = new Set();
  sequence = 0;
  announces = true;
  present = { inFlight: 1, requestSeconds: 0 };
  await applyFunction(2);
  const starting = startControllers({
    cluster,
    clock: { ...local, now: () => cluster.now() },
    random,
    logger,
    registry: new Registry(),
    demand: ledger,
    // Each would go at once if it were asked.
    askToDrain: () => Promise.resolve('Draining'),
    sink: { publish: () => undefined, remove: () => undefined },
    gateways: () => [],
    images: { cpu: 'runtime:1', cuda: 'runtime:1' },
    url: (namespace, name) => `http://${name}.${namespace}`,
    signingKey: () => ({ id: 'k', secret: 'c2VjcmV0' }),
    logLevel: 'info',
    podSettings: DEFAULT_POD_SETTINGS,
    budgets: [],
    gatewayHost: undefined,
    operatorNamespace: 'pilotlight-system',
    networkPolicies: false,
  }).then((started) => {
    controllers = started;
    started.lead();
  });
  await Promise.all([starting, walk(1)]);
  await until(2);
  relay.forget();
});

afterEach(async () => {
  relay.fault = () => undefined;
  await controllers?.close();
  await cluster.close();
  await relay.close();
  await server.close();
  await world.cluster.close();
});

/** Seconds go by, with the gateway's heartbeat in each; it knows each pod as soon as that is there. */
async function walk(seconds: number, stepsPerSecond = 5): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    for (let step = 0; step < stepsPerSecond; step++) {
      await world.clock.advance(1000 / stepsPerSecond);
      // The network takes turns of the event loop, and no time of the clock.
      for (let seen = -1; seen !== relay.requests.length || relay.underWay > 0;) {
        seen = relay.requests.length;
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    }
    present.requestSeconds += present.inFlight;
    await beat();
  }
}

async function beat(): Promise<void> {
  const now = world.clock.monotonic() / 1000;
  const announcements = (await pods())
    .filter(({ metadata }) => announces && !announced.has(metadata.uid ?? ''))
    .map(({ metadata }, at) => ({
      namespace: NAMESPACE,
      revision: REVISION,
      pod: metadata.name,
      uid: metadata.uid ?? '',
      host: '127.0.0.1',
      ports: { http: 4000 + at, control: 5000 + at },
    }));
  const revisions = [{ namespace: NAMESPACE, revision: REVISION, requests: 1, queued: 0, ...present }];
  const envelope = { type: 'demand', bootId: 'boot', sequence: ++sequence, uptimeSeconds: now, full: false } as const;
  ledger.record('gateway', { ...envelope, revisions, announcements }, now);
  for (const announcement of announcements) {
    announced.add(announcement.uid);
    controllers?.announce(announcement);
  }
}

async function applyFunction(minReplicas: number): Promise<void> {
  const manifest = {
    apiVersion: API_VERSION,
    kind: 'ModelFunction',
    metadata: FUNCTION,
    spec: {
      model: { uri: 'https://models/digits.onnx' },
      scaling: { minReplicas, maxReplicas: 6, target: 1, stableWindowSeconds: 6, startTimeoutSeconds: 30 },
    },
  };
  await apply(world.cluster, MODEL_FUNCTIONS, manifest as unknown as ModelFunction);
}

async function pods(): Promise<Pod[]> {
  const all = await world.cluster.list(PODS, { labels: { [LABELS.revision]: REVISION } });
  return all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

const names = async (): Promise<string[]> => (await pods()).map(({ metadata }) => metadata.name).sort();
const uids = async (): Promise<(string | undefined)[]> => (await pods()).map(({ metadata }) => metadata.uid);

/** Walks until so many pods are there and the function's status, which comes last of all, says so. */
async function until(ready: number): Promise<void> {
  const replicas = async (): Promise<number | undefined> =>
    (await world.cluster.get(MODEL_FUNCTIONS, FUNCTION))?.status?.replicas;
  for (let second = 0; second < RECOVERY_SECONDS; second++) {
    if ((await replicas()) === ready && (await pods()).length === ready) return;
    await walk(1);
  }
  expect([await replicas(), await names()]).toEqual([ready, expect.objectContaining({ length: ready })]);
}

/** More callers come while it lasts: wanted pods are made once, late perhaps, and none that is there goes. */
async function survive(): Promise<void> {
  const before = await uids();
  present.inFlight = 4;
  await walk(FAULT_SECONDS);
  expect(relay.requests.length).toBeLessThan(MOST_REQUESTS);
  relay.fault = () => undefined;
  if (!relay.isOpen) await relay.open();
  await until(4);
  expect(await names()).toEqual([0, 1, 2, 3].map((ordinal) => `${REVISION}-${ordinal}`));
  expect(await uids()).toEqual(expect.arrayContaining(before));
  expect(relay.requests.filter(({ method }) => method === 'DELETE')).toEqual([]);
}

test.each(Object.entries(API_SERVER_FAULTS))('the loop survives an API server that %s', async (_name, fault) => {
  relay.fault = fault;
  relay.cut();
  await survive();
});

test('the loop survives an API server that refuses connections', async () => {
  await relay.shut();
  await survive();
});

test('after ten minutes without the API server the loop goes on within 10 s, and asks for little', async () => {
  await relay.shut();
  present.inFlight = 4;
  await walk(600, 1);
  relay.forget();
  await relay.open();
  await walk(10);
  expect(await pods()).toHaveLength(4);
  // Each watch goes on where it was, and what there is to write is written.
  const reads = relay.requests.filter(({ method, path }) => method === 'GET' && !path.includes(REVISION));
  expect(reads.map(({ isWatch }) => isWatch)).toEqual(Array.from({ length: WATCHES }, () => true));
  expect(relay.requests.length).toBeLessThan(MOST_REQUESTS_ON_RETURN);
});

test('the loop survives connections whose other side is gone without a word', async () => {
  relay.silence();
  await survive();
});

test('what happened meanwhile is seen within 150 s of silence: a pod that was deleted', async () => {
  const [lost] = await pods();
  relay.silence();
  const key = { namespace: NAMESPACE, name: lost?.metadata.name ?? '' };
  await world.cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
  await walk(140);
  expect(await pods()).toHaveLength(1);
  await walk(15);
  expect(await pods()).toHaveLength(2);
});

test('what happened while there was no API server is seen: a pod that was deleted, and a change of the function', async () => {
  const [lost] = await pods();
  await relay.shut();
  const key = { namespace: NAMESPACE, name: lost?.metadata.name ?? '' };
  await world.cluster.delete(PODS, key, { gracePeriodSeconds: 0 });
  await applyFunction(3);
  await walk(FAULT_SECONDS);
  await relay.open();
  await until(3);
  expect(await uids()).not.toContain(lost?.metadata.uid);
});

test('a view that is stale takes nothing to zero while callers are there', async () => {
  await applyFunction(0);
  await walk(20);
  const before = await uids();
  expect(before).toHaveLength(1);
  relay.silence();
  relay.fault = ({ isWatch }) => (isWatch ? { type: 'Hung' } : undefined);
  await walk(200);
  expect(await uids()).toEqual(before);
});

test.each([3_600_000, -3_600_000])(
  'a clock that jumps by %i ms gives pods their time to start, and no more',
  async (off) => {
    skew = off;
    announces = false;
    present.inFlight = 4;
    await walk(25);
    const starting = await names();
    expect(starting).toEqual([0, 1, 2, 3].map((ordinal) => `${REVISION}-${ordinal}`));
    await walk(10);
    expect(await names()).not.toEqual(starting);
  },
);

test('a loop at rest asks for nothing', async () => {
  await walk(5);
  relay.forget();
  await walk(10);
  expect(relay.requests).toEqual([]);
});
