/**
 * Gateways that end while requests come. One that is told to end loses nothing. One that is killed loses what was in it, as connections that break,
 * and refuses new connections for the moment until it runs again at its address or the cluster sends it none; it gives no wrong answer meanwhile, and
 * the others give no error at all.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { COMPONENTS, LABELS } from '../../common/api/names.ts';
import { PODS, type Pod } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import type { ClientRequest } from './support/client/protocol.ts';
import { GATEWAY, SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { ObjectWatch } from './support/object-watch.ts';
import { ProcessKiller } from './support/process-killer.ts';
import {
  countByOutcome,
  expectNothingLost,
  prepareFunctions,
  startTraffic,
  type Traffic,
} from './support/steady-traffic.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(240_000);

let suite: Suite;
let killer: ProcessKiller;
let gateways: ObjectWatch<Pod>;
beforeAll(async () => {
  [suite, killer] = await Promise.all([startSuite('faults-gateway'), ProcessKiller.start()]);
  gateways = new ObjectWatch(PODS, { namespace: SYSTEM_NAMESPACE, labels: { [LABELS.component]: COMPONENTS.gateway } });
  await gateways.synced();
  await prepareFunctions(suite);
});
afterAll(() => Promise.all([suite.close(), killer.close(), gateways.close()]));

let traffic: Traffic;
beforeEach(async () => {
  traffic = await startTraffic(suite);
});
afterEach(() => traffic.stop('after the test'));

async function rollOut(): Promise<void> {
  await kubectl(['rollout', 'restart', '-n', SYSTEM_NAMESPACE, `deployment/${GATEWAY}`]);
  const options = ['-n', SYSTEM_NAMESPACE, `deployment/${GATEWAY}`, '--timeout=120s'];
  await kubectl(['rollout', 'status', ...options], { timeoutSeconds: 130 });
}

test('a rolling restart of all gateways loses nothing', async () => {
  const before = new Set(gateways.objects.map(({ metadata }) => metadata.uid));
  await Promise.all([rollOut(), traffic.wake(1_000)]);
  await gateways.until('the old gateways are gone', (pods) =>
    pods.every(({ metadata }) => !before.has(metadata.uid)) ? true : undefined,
  );
  await traffic.pass(50);
  expectNothingLost(await traffic.stop('rolling restart of the gateways'));
});

test('SIGKILL of a gateway breaks the connections it had, and nothing else', async () => {
  const [victim] = gateways.objects.filter(isReady);
  if (victim === undefined) throw new Error('No gateway is ready.');
  const key = { namespace: SYSTEM_NAMESPACE, name: victim.metadata.name };
  await killer.prepare(key);
  // Past the Service, which by then may send it none: so that it gets requests before it has its routes.
  const direct = await suite.client.load({ request: byAddress(victim), perSecond: 25 });
  const { from, to } = await killer.kill(key, 'container');
  await traffic.wake();
  const back = await gateways.until('the gateway is ready again', (pods) =>
    pods.find((pod) => pod.metadata.uid === victim.metadata.uid && isReady(pod) && restarts(pod) > restarts(victim)),
  );
  const readyAt = Date.now();
  await traffic.pass(50);
  await direct.until({ outcome: { name: '200', inARow: 25 } });
  const outcomes = Object.keys((await direct.stop()).outcomes);
  expect(outcomes.filter((outcome) => outcome !== '200' && !BROKEN_CONNECTION.test(outcome))).toEqual([]);
  const { failures } = await traffic.stop(`SIGKILL of ${back.metadata.name}`);
  process.stdout.write(`  lost: ${JSON.stringify(countByOutcome(failures))}; ready again after ${readyAt - to} ms\n`);
  for (const failure of failures) {
    expect(failure.outcome).toMatch(BROKEN_CONNECTION);
    // What came after the kill was refused before it was sent; nothing was taken and then lost.
    if (failure.sentAt > to) expect(failure.outcome).toBe('ECONNREFUSED');
    expect(failure.endedAt).toBeGreaterThanOrEqual(from);
    expect(failure.endedAt).toBeLessThanOrEqual(readyAt);
  }
});

const BROKEN_CONNECTION = /^(ECONNRESET|ECONNREFUSED|EPIPE)( on a reused connection)?$/;

function byAddress({ status }: Pod): ClientRequest {
  const { podIP = '' } = status ?? {};
  const host = podIP.includes(':') ? `[${podIP}]` : podIP;
  const path = `/functions/${suite.namespace}/short/v2/models/short/infer`;
  return { ...suite.inference('short', DIGITS.request), url: `http://${host}:8080${path}` };
}

function isReady({ status, metadata }: Pod): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && metadata.deletionTimestamp === undefined;
}

function restarts({ status }: Pod): number {
  return status?.containerStatuses?.[0]?.restartCount ?? 0;
}
