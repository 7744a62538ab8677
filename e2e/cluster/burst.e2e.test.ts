import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { compareOutputs, type JsonAnswer } from '../../examples/compare-outputs.ts';
import { DIGITS } from '../local/examples.ts';
import type { Pod } from '../../operator/cluster/resources.ts';
import { modelFunction, STABLE_WINDOW_SECONDS } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

const REPLICAS = 4;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('burst');
  const scaling = { target: 1, maxReplicas: REPLICAS };
  // One at a time, so that a test knows which pod has which request.
  await suite.apply(modelFunction('single', { scaling, concurrencyLimit: 1, timeoutSeconds: 120 }));
  await suite.apply(modelFunction('digits', { scaling: { target: 4, maxReplicas: REPLICAS } }));
  await Promise.all([suite.untilReady('single'), suite.untilReady('digits')]);
});
afterAll(() => suite.close());

function uidsOf(pods: readonly Pod[]): string[] {
  return pods.map(({ metadata }) => metadata.uid ?? '').sort();
}

test('requests that come at once get a pod each; when some have ended, the idle pods go and those at work stay', async () => {
  await suite.untilNoPods('single');
  const requests = await Promise.all(
    Array.from({ length: REPLICAS }, () => suite.openInference('single', DIGITS.request)),
  );
  await suite.untilReplicas('single', REPLICAS);

  const [first, second, ...others] = requests;
  for (const answer of await Promise.all(others.map((request) => request.finish()))) expect(answer.status).toBe(200);

  const loads = await Promise.all(
    suite.podsOf('single').map(async (pod) => ({ pod, load: await suite.requestsIn(pod) })),
  );
  expect(loads.map(({ load }) => load).sort()).toEqual([0, 0, 1, 1]);
  const busy = uidsOf(loads.filter(({ load }) => load === 1).map(({ pod }) => pod));

  await suite.untilReplicas('single', 2);
  expect(uidsOf(suite.podsOf('single').filter(({ metadata }) => metadata.deletionTimestamp === undefined))).toEqual(
    busy,
  );
  // A gateway could hide that a pod was taken from under a request, by sending it to another one.
  const cut = suite.pods.history.filter(
    ({ object: { metadata } }) => metadata.deletionTimestamp !== undefined && busy.includes(metadata.uid ?? ''),
  );
  expect(cut).toEqual([]);
  const answers = await Promise.all([first, second].map((request) => request!.finish()));
  for (const answer of answers)
    expect(compareOutputs(answer.json as unknown as JsonAnswer, DIGITS.expected)).toEqual([]);
});

test('a burst grows the function to its maximum and no further, and no request of it fails', async () => {
  await suite.untilNoPods('digits');
  const burst = await suite.client.load({
    request: suite.inference('digits', DIGITS.request),
    concurrency: 8 * REPLICAS,
    keepAlive: true,
  });
  await suite.untilReplicas('digits', REPLICAS);
  // So that the next test shrinks what really served.
  await burst.until({ ended: 1000 });
  const { outcomes, sent, coldStarts } = await burst.stop();
  expect(outcomes).toEqual({ '200': sent });
  expect(coldStarts).toBeGreaterThan(0);
  const most = Math.max(...suite.functions.history.map(({ object }) => object.status?.desiredReplicas ?? 0));
  expect(most).toBe(REPLICAS);
});

test('while it shrinks again under a little traffic, no request fails', async () => {
  const traffic = await suite.client.load({
    request: suite.inference('digits', DIGITS.request),
    concurrency: 2,
    keepAlive: true,
  });
  await suite.untilReplicas('digits', 1);
  const { outcomes, sent } = await traffic.stop();
  expect(outcomes).toEqual({ '200': sent });
  const stoppedAt = Date.now();
  await suite.untilNoPods('digits');
  expect((Date.now() - stoppedAt) / 1000).toBeGreaterThan(STABLE_WINDOW_SECONDS - 1);
});
