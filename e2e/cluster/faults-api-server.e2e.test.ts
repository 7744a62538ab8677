/**
 * The API server is away for 30 s. Functions that run serve on, and are not scaled down by what nobody could see; the call of one at zero waits, and is
 * served once pods can be made again; then all goes on as if nothing had been. Nothing may be lost, unless Kubernetes itself takes the gateways for dead.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { ModelFunction } from '../../common/api/kinds.ts';
import { COMPONENTS, LABELS } from '../../common/api/names.ts';
import { PODS, type Pod } from '../../operator/cluster/resources.ts';
import { ApiServerProcess } from './support/api-server-process.ts';
import { SYSTEM_NAMESPACE } from './support/installation.ts';
import { modelFunction } from './support/manifests.ts';
import { ObjectWatch } from './support/object-watch.ts';
import { prepareFunctions, startTraffic } from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(300_000);

const AWAY_MILLISECONDS = 30_000;

const apiServer = ApiServerProcess.find();
if (apiServer === undefined) {
  process.stdout.write(
    'SIGKILL of the API server did NOT run: it is no process of this machine that the tests may end.\n',
  );
}
const onlyHere = apiServer === undefined ? test.skip : test;

let suite: Suite;
let gateways: ObjectWatch<Pod>;
beforeAll(async () => {
  if (apiServer === undefined) return;
  suite = await startSuite('faults-api-server');
  gateways = new ObjectWatch(PODS, { namespace: SYSTEM_NAMESPACE, labels: { [LABELS.component]: COMPONENTS.gateway } });
  await Promise.all([gateways.synced(), prepareFunctions(suite)]);
});
afterAll(() => (apiServer === undefined ? undefined : Promise.all([suite.close(), gateways.close()])));

onlyHere('SIGKILL of the API server, which is away for 30 s', async () => {
  const traffic = await startTraffic(suite);
  const before = runningPods();
  const since = suite.pods.history.length;
  const gatewaysSince = gateways.history.length;
  await traffic.wake(AWAY_MILLISECONDS / 2);
  apiServer?.kill();
  try {
    await delay(AWAY_MILLISECONDS);
  } finally {
    apiServer?.start();
  }
  const back = Date.now();
  await suite.pods.until('asleep has a pod', () => (suite.podsOf('asleep').length > 0 ? true : undefined));
  const podAfter = Date.now() - back;
  const isOne = ({ status }: ModelFunction): boolean => status?.replicas === 1;
  await suite.untilFunction('asleep', 'has one replica', isOne, KUBELET_SECONDS);
  await suite.untilNoPods('asleep');
  const after = runningPods();
  const history = suite.pods.history.slice(since).map(({ object }) => object);
  // For want of news from the node, Kubernetes may take all gateways out of their Service: then nobody is there to connect to, for a while.
  const withdrawn = gateways.history.slice(gatewaysSince).find(({ object }) => isNotReady(object));
  const report = await traffic.stop(
    `SIGKILL of the API server, away for 30 s; the first pod ${podAfter} ms after its start` +
      (withdrawn === undefined ? '' : '; Kubernetes took the gateways for dead meanwhile'),
  );
  const withdrawnAt = withdrawn?.at ?? Infinity;
  const lost = report.failures.filter(
    ({ outcome, sentAt }) => !(NOT_TAKEN.has(outcome) && sentAt >= withdrawnAt - 1_000),
  );
  expect(lost).toEqual([]);
  expect(report.loads['asleep, one']).toMatchObject({ outcomes: { '200': 1 }, coldStarts: 1 });

  // Nobody was scaled down for want of news. What nobody could call may have been, and what Kubernetes took for lost with its node was replaced.
  const gone = before.filter((pod) => !after.some(({ metadata }) => metadata.uid === pod.metadata.uid));
  const mayGo = (pod: Pod): boolean =>
    history.some((state) => state.metadata.uid === pod.metadata.uid && isEvicted(state)) ||
    (withdrawn !== undefined && isOf('held', pod));
  expect(gone.filter((pod) => !mayGo(pod))).toEqual([]);
  // Nor up.
  const known = new Set(before.map(({ metadata }) => metadata.uid));
  const made = history.filter((pod) => !known.has(pod.metadata.uid) && !isOf('asleep', pod));
  expect(new Set(made.map(({ metadata }) => metadata.uid)).size).toBe(gone.length);

  await suite.untilNoPods('held');
  await suite.untilReplicas('short', 1);
  // What is new is seen again, by operators whose watches all broke.
  await suite.apply(modelFunction('later'));
  await suite.untilReady('later');
});

/** The kubelet and the scheduler ask a server that was away again after up to 50 s. */
const KUBELET_SECONDS = 120;

/** Nobody took the request. */
const NOT_TAKEN = new Set(['ECONNREFUSED', 'EHOSTUNREACH']);

function isNotReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'False') === true;
}

function isEvicted({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'DisruptionTarget' && is === 'True') === true;
}

function isOf(name: string, { metadata }: Pod): boolean {
  return metadata.labels?.[LABELS.function] === name;
}

function runningPods(): readonly Pod[] {
  const pods = ['short', 'held'].flatMap((name) => suite.podsOf(name));
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}
