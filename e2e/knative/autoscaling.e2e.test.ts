/**
 * Cases of Knative Serving's suite about scaling under load, by its names; docs/reference/knative-comparison.md compares them. Knative's
 * `containerConcurrency` or `target` × 70 % is our `scaling.target`, of which all is used; its window of 60 s is the least that there is, 6 s.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { condition } from '../function-state.ts';
import { DIGITS } from '../local/examples.ts';
import { ApiProxy } from '../cluster/support/api-proxy.ts';
import type { Load } from '../cluster/support/client.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';
import { untilPanicMode } from './panic-mode.ts';
import { sleeping } from './sleeping-model.ts';

jest.setTimeout(240_000);

/** Long, so that what passes between an answer and a client's next request is little of the load, on a busy machine too. */
const REQUEST_MILLISECONDS = 2_000;

let suite: Suite;
let api: ApiProxy;
beforeAll(async () => {
  [suite, api] = await Promise.all([startSuite('knative-autoscaling'), ApiProxy.start()]);
});
afterAll(() => Promise.all([suite.close(), api.close()]));

async function applyWithOnePod(name: string, target: number): Promise<void> {
  await suite.apply(
    modelFunction(name, {
      batching: sleeping(REQUEST_MILLISECONDS),
      scaling: { target, minReplicas: 1, maxReplicas: 6 },
    }),
  );
  await suite.untilReplicas(name, 1);
}

function clients(name: string, concurrency: number): Promise<Load> {
  return suite.client.load({ request: suite.inference(name, DIGITS.request), concurrency, keepAlive: true });
}

/** Rounds of as many requests as there are clients, each as long as a request. */
async function untilRounds(load: Load, concurrency: number, rounds: number): Promise<void> {
  await load.until({ ended: rounds * concurrency });
}

async function stopWithoutFailures(...loads: readonly Load[]): Promise<void> {
  for (const load of loads) {
    const { outcomes, sent } = await load.stop();
    expect(outcomes).toEqual({ '200': sent });
  }
}

/** What the autoscaler wanted for the function, in the order in which its status told it. */
function desiredSince(since: number, name: string): number[] {
  const states = suite.functions.history.slice(since).filter(({ object }) => object.metadata.name === name);
  return states.map(({ object }) => object.status?.desiredReplicas ?? 0);
}

function desiredNow(name: string): number | undefined {
  return suite.functions.objects.find(({ metadata }) => metadata.name === name)?.status?.desiredReplicas;
}

const AGGREGATIONS = ['Linear', 'WeightedExponential'] as const;

test.concurrent.each(AGGREGATIONS)('TestAutoscaleUpDownUp (%s)', async (metricAggregationAlgorithm) => {
  const name = `up-down-up-${metricAggregationAlgorithm.toLowerCase()}`;
  const replicas = 2;
  const target = 4;
  await suite.apply(
    modelFunction(name, {
      batching: sleeping(REQUEST_MILLISECONDS),
      scaling: { target, maxReplicas: 4, metricAggregationAlgorithm },
    }),
  );
  await suite.untilReady(name);
  const since = suite.functions.history.length;
  const up = async (): Promise<void> => {
    const load = await clients(name, replicas * target);
    await suite.untilReplicas(name, replicas);
    await stopWithoutFailures(load);
  };
  await up();
  await suite.untilNoPods(name);
  await suite.untilReplicas(name, 0);
  await up();
  const states = suite.functions.history.slice(since).filter(({ object }) => object.metadata.name === name);
  expect(new Set(states.map(({ object }) => condition(object, 'Ready')?.status))).toEqual(new Set(['True']));
});

test.concurrent('TestAutoscaleUpCountPods', async () => {
  const name = 'up-count-pods';
  const target = 6;
  await applyWithOnePod(name, target);
  const loads = [await clients(name, target)];
  for (const replicas of [2, 3, 4]) {
    const since = suite.functions.history.length;
    const more = await clients(name, target);
    loads.push(more);
    await suite.untilReplicas(name, replicas);
    // More than a stable window: the averages hold nothing of the time before.
    await untilRounds(more, target, 4);
    expect(desiredNow(name)).toBe(replicas);
    // Knative allows one more, for it takes 70 % of the target.
    for (const desired of desiredSince(since, name)) expect([replicas - 1, replicas]).toContain(desired);
  }
  await stopWithoutFailures(...loads);
});

test.concurrent('TestRPSBasedAutoscaleUpCountPods', async () => {
  const name = 'rps-up-count-pods';
  await suite.apply(
    modelFunction(name, {
      // A busy client is late and then sends at once what it has not sent: the panic window would take it for a burst.
      scaling: {
        metric: 'RequestsPerSecond',
        target: 10,
        minReplicas: 1,
        maxReplicas: 6,
        panicThresholdPercentage: 1000,
      },
    }),
  );
  await suite.untilReplicas(name, 1);
  const request = suite.inference(name, DIGITS.request);
  const loads: Load[] = [];
  // In all 15, 25 and 35 a second, in the middle of what so many pods are for.
  for (const { replicas, more } of [
    { replicas: 2, more: 15 },
    { replicas: 3, more: 10 },
    { replicas: 4, more: 10 },
  ]) {
    const since = suite.functions.history.length;
    const load = await suite.client.load({ request, perSecond: more, keepAlive: true });
    loads.push(load);
    await suite.untilReplicas(name, replicas);
    // More than a stable window.
    await load.until({ ended: 8 * more });
    // One more or less on the way and one more at the end, as Knative allows: arrivals are as even as the client's machine is idle.
    expect([replicas, replicas + 1]).toContain(desiredNow(name));
    for (const desired of desiredSince(since, name)) {
      expect([replicas - 1, replicas, replicas + 1]).toContain(desired);
    }
  }
  await stopWithoutFailures(...loads);
});

test.concurrent('TestAutoscaleSustaining', async () => {
  const name = 'sustaining';
  // Of 8 pods for 2 minutes in Knative's: a panic ends a stable window after it began, and that is 6 s here.
  const replicas = 4;
  const target = 2;
  await applyWithOnePod(name, target);
  const load = await clients(name, replicas * target);
  await untilPanicMode(api, suite.namespace, name, true);
  await suite.untilReplicas(name, replicas);
  const since = suite.functions.history.length;
  await untilPanicMode(api, suite.namespace, name, false);
  // Two stable windows and more.
  await untilRounds(load, replicas * target, 7);
  expect(new Set([...desiredSince(since, name), desiredNow(name)])).toEqual(new Set([replicas]));
  await stopWithoutFailures(load);
});
