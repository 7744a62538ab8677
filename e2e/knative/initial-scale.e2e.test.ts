/**
 * Cases of Knative Serving's suite about the number of pods with which a revision begins, by its names: `activation-scale` is our
 * `scaling.activationReplicas`, `initial-scale` our `scaling.initialReplicas`.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { isReady } from '../function-state.ts';
import { DIGITS } from '../local/examples.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';

jest.setTimeout(180_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('knative-initial-scale');
});
afterAll(() => suite.close());

test.concurrent('TestActivationScale', async () => {
  const name = 'activation';
  const replicas = 5;
  await suite.apply(modelFunction(name, { scaling: { activationReplicas: replicas } }));
  await suite.untilReady(name);
  await suite.untilNoPods(name);
  const since = suite.pods.history.length;
  const answer = await suite.infer(name, DIGITS.request);
  expect(answer.status).toBe(200);
  await suite.untilFunction(name, `wants ${replicas}`, ({ status }) => status?.desiredReplicas === replicas);
  // How many serve at one time is a matter of how fast they start: once one was ready for a window, the others may go.
  await suite.pods.until(`${replicas} pods were made`, () =>
    podsMade(name, since).size === replicas ? true : undefined,
  );
});

/** The uids of a function's pods of which the watch told. */
function podsMade(name: string, since: number): ReadonlySet<string | undefined> {
  const seen = suite.pods.history.slice(since).map(({ object: { metadata } }) => metadata);
  return new Set(seen.filter((metadata) => metadata.name.startsWith(`${name}-`)).map(({ uid }) => uid));
}

test.concurrent('TestInitScalePositive', async () => {
  const name = 'initial';
  const replicas = 3;
  await suite.apply(modelFunction(name, { scaling: { initialReplicas: replicas } }));
  await suite.untilReady(name);
  const states = suite.functions.history.filter(({ object }) => object.metadata.name === name);
  const firstReady = states.find(({ object }) => isReady(object))?.object;
  expect(firstReady?.status).toMatchObject({ replicas, desiredReplicas: replicas });
  // Nobody calls: it has been ready with all of them, and that is what they were for.
  await suite.untilNoPods(name);
  await suite.untilReady(name);
});
