/**
 * Cases of Knative Serving's suite about how many requests a pod has and for how long, by its names: `containerConcurrency` is our
 * `concurrencyLimit`, `timeoutSeconds` has the same name and does not count the wait for a pod.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS } from '../local/examples.ts';
import { ApiProxy } from '../cluster/support/api-proxy.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';
import { sleeping } from './sleeping-model.ts';

jest.setTimeout(240_000);

const METRICS_PORT = 9090;

let suite: Suite;
let api: ApiProxy;
beforeAll(async () => {
  [suite, api] = await Promise.all([startSuite('knative-concurrency'), ApiProxy.start()]);
});
afterAll(() => Promise.all([suite.close(), api.close()]));

test.concurrent('TestActivatorOverload', async () => {
  const name = 'overload';
  const requests = 100;
  // 4 pods at most, of 10 in Knative's: the machine of a test is small.
  const scaling = { target: 1, maxReplicas: 4 };
  await suite.apply(
    modelFunction(name, { batching: sleeping(300), scaling, concurrencyLimit: 1, queue: { timeoutSeconds: 180 } }),
  );
  await suite.untilReady(name);
  await suite.untilNoPods(name);
  const load = await suite.client.load({
    request: suite.inference(name, DIGITS.request),
    concurrency: requests,
    requests,
  });
  await load.until({ total: requests });
  const { outcomes, coldStarts } = await load.stop();
  expect(outcomes).toEqual({ '200': requests });
  expect(coldStarts).toBeGreaterThan(0);
});

test.concurrent('TestSingleConcurrency', async () => {
  const name = 'single';
  const requests = 200;
  // Two that are in the pod at once share a run, within these 50 ms.
  const scaling = { minReplicas: 1, maxReplicas: 1 };
  await suite.apply(modelFunction(name, { batching: sleeping(50), scaling, concurrencyLimit: 1 }));
  await suite.untilReplicas(name, 1);
  const load = await suite.client.load({
    request: suite.inference(name, DIGITS.request),
    concurrency: 5,
    keepAlive: true,
    requests,
  });
  await load.until({ total: requests });
  expect((await load.stop()).outcomes).toEqual({ '200': requests });

  const [pod] = suite.podsOf(name);
  const metrics = await api.get(suite.namespace, pod!.metadata.name, METRICS_PORT, '/metrics');
  const runs = (suffix: string): number =>
    Number(new RegExp(`^pilotlight_runtime_batch_size_${suffix}.*} (\\d+)$`, 'm').exec(metrics)?.[1]);
  expect({ alone: runs('bucket{le="1",'), all: runs('count{') }).toEqual({ alone: requests, all: requests });
});

test.concurrent('TestRevisionTimeout', async () => {
  const batching = sleeping(5_000);
  await suite.apply(
    modelFunction('in-time', { batching, timeoutSeconds: 60 }),
    modelFunction('too-late', { batching, timeoutSeconds: 1 }),
  );
  await Promise.all([suite.untilReady('in-time'), suite.untilReady('too-late')]);
  const [inTime, tooLate] = await Promise.all([
    suite.infer('in-time', DIGITS.request),
    suite.infer('too-late', DIGITS.request),
  ]);
  expect(inTime.status).toBe(200);
  expect(tooLate).toMatchObject({ status: 504, json: { error: expect.stringContaining('longer than 1 s') } });
});
