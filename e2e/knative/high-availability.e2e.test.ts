/**
 * Cases of Knative Serving's suite about the loss of the leader, by its names. Its autoscaler and controller are one process here, the operator; as
 * there, the pod of the leader is deleted.
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS } from '../local/examples.ts';
import { kubectl } from '../cluster/support/kubectl.ts';
import { Leadership } from '../cluster/support/leadership.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';

jest.setTimeout(180_000);

let suite: Suite;
let leadership: Leadership;
beforeAll(async () => {
  [suite, leadership] = await Promise.all([startSuite('knative-high-availability'), Leadership.start()]);
});
afterAll(() => Promise.all([suite.close(), leadership.close()]));

async function loseLeader(): Promise<void> {
  const { holder, pod } = leadership;
  await kubectl(['delete', 'pod', pod.name, '-n', pod.namespace ?? '', '--wait=false']);
  await leadership.untilAnotherLeads(holder);
}

test('TestAutoscalerHA', async () => {
  const name = 'scaled';
  const replicas = 3;
  await suite.apply(modelFunction(name, { scaling: { target: 1, maxReplicas: replicas }, concurrencyLimit: 1 }));
  await suite.untilReady(name);
  await suite.untilNoPods(name);
  await loseLeader();
  const requests = await Promise.all(Array.from({ length: replicas }, () => suite.openInference(name, DIGITS.request)));
  await suite.untilReplicas(name, replicas);
  for (const request of requests) expect((await request.finish()).status).toBe(200);
});

test('TestControllerHA', async () => {
  await suite.apply(modelFunction('former'));
  await suite.untilReady('former');
  await loseLeader();
  await suite.apply(modelFunction('later'));
  await suite.untilReady('later');
  for (const name of ['former', 'later']) expect((await suite.infer(name, DIGITS.request)).status).toBe(200);
});
