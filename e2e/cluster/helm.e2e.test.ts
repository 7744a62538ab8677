/**
 * The release is upgraded, rolled back, removed and installed again while requests come. An upgrade loses none, makes no revision and touches no pod of
 * a function. Without a release there is nobody to connect to, so that connections are refused until it is back; but no request that was taken is
 * lost, and functions, revisions and the pods that serve them stay.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { COMPONENTS, LABELS } from '../../common/api/names.ts';
import { MODEL_REVISIONS, PODS, type Pod } from '../../operator/cluster/resources.ts';
import { CHART, helm, installedValues, RELEASE } from './support/helm.ts';
import { SYSTEM_NAMESPACE } from './support/installation.ts';
import { ObjectWatch } from './support/object-watch.ts';
import { listObjects } from './support/objects.ts';
import { expectNothingLost, prepareFunctions, startTraffic, type Traffic } from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(300_000);

let suite: Suite;
let system: ObjectWatch<Pod>;
beforeAll(async () => {
  suite = await startSuite('helm');
  system = new ObjectWatch(PODS, { namespace: SYSTEM_NAMESPACE, labels: { [LABELS.component]: COMPONENTS.gateway } });
  await Promise.all([system.synced(), prepareFunctions(suite)]);
});
afterAll(() => Promise.all([suite.close(), system.close()]));

let traffic: Traffic;
let before: object;
beforeEach(async () => {
  traffic = await startTraffic(suite);
  before = await functionsAndPods();
});
afterEach(() => traffic.stop('after the test'));

/** What an upgrade must not change. */
async function functionsAndPods(): Promise<object> {
  const revisions = await listObjects(MODEL_REVISIONS, { namespace: suite.namespace });
  const pods = ['short', 'held'].flatMap((name) => suite.podsOf(name));
  return {
    functions: suite.functions.objects.map(({ metadata: { name, uid, generation } }) => ({ name, uid, generation })),
    revisions: revisions.objects.map(({ metadata: { name, uid } }) => ({ name, uid })),
    pods: pods.map(({ metadata: { name, uid, deletionTimestamp } }) => ({ name, uid, deletionTimestamp })),
  };
}

test('helm upgrade and rollback', async () => {
  const changes = ['gateway.logLevel=debug', 'operator.logLevel=debug', 'runtime.image.tag=of-another-version'];
  const options = changes.flatMap((change) => ['--set-string', change]);
  const upgraded = helm('upgrade', RELEASE, CHART, '--reset-then-reuse-values', ...options, '--wait');
  await Promise.all([upgraded, traffic.wake(1_000)]);
  await suite.untilNoPods('asleep');
  // With the image of its revision: there is none of the new name.
  await traffic.wake();
  await suite.untilReplicas('asleep', 1);
  await helm('rollback', RELEASE, '--wait');
  await untilTerminated();
  await traffic.pass(50);
  expect(await functionsAndPods()).toEqual(before);
  expectNothingLost(await traffic.stop('helm upgrade and rollback'));
});

test('helm uninstall, and install with the same values', async () => {
  const values = join(mkdtempSync(join(tmpdir(), 'pilotlight-values-')), 'values.json');
  writeFileSync(values, JSON.stringify(await installedValues()));
  const begun = Date.now();
  try {
    await helm('uninstall', RELEASE);
    await untilTerminated();
    expect(await functionsAndPods()).toEqual(before);
  } finally {
    await helm('install', RELEASE, CHART, '--values', values, '--wait');
    rmSync(values, { recursive: true });
  }
  const back = Date.now();
  await traffic.pass(100);
  await traffic.wake();
  await suite.untilReplicas('asleep', 1);
  expect(await functionsAndPods()).toEqual(before);
  const { loads, failures } = await traffic.stop(`helm uninstall and install, in ${back - begun} ms`);
  expect(loads['asleep, one']?.outcomes).toEqual({ '200': 1 });
  for (const { outcomes } of Object.values(loads)) {
    expect(Object.keys(outcomes).filter((outcome) => outcome !== '200' && !NOT_TAKEN.has(outcome))).toEqual([]);
  }
  for (const { sentAt, outcome } of failures) {
    expect(sentAt).toBeGreaterThanOrEqual(begun);
    if (!NOWHERE.has(outcome)) expect(sentAt).toBeLessThanOrEqual(back + PROXY_MILLISECONDS);
  }
});

/** A connection was never made: the name is gone, the address leads nowhere, or nobody listens. */
const NOT_TAKEN = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'no connection in time',
]);

/**
 * What was sent to the new Service's address before its node knew it is remembered there for 2 minutes as leading nowhere, and so is what comes from the
 * same port later.
 */
const NOWHERE = new Set(['EHOSTUNREACH', 'no connection in time']);

/** For the nodes to learn of the new gateways. */
const PROXY_MILLISECONDS = 10_000;

/** No gateway is left of those that were told to end. */
async function untilTerminated(): Promise<void> {
  await system.until(
    'no gateway is ending',
    (pods) => (pods.every(({ metadata }) => metadata.deletionTimestamp === undefined) ? true : undefined),
    90,
  );
}
