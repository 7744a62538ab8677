/** Cases of Knative Serving's suite about pods that are deleted, by its names. Its 5 minutes of `timeoutSeconds` are ours. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { Pod } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import type { OpenRequest } from '../cluster/support/client.ts';
import { modelFunction } from '../cluster/support/manifests.ts';
import { PATIENCE_SECONDS } from '../cluster/support/object-watch.ts';
import { startSuite, type Suite } from '../cluster/support/suite.ts';

jest.setTimeout(180_000);

const TIMEOUT_SECONDS = 300;
const LOOK_MILLISECONDS = 500;

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('knative-destroy-pod');
});
afterAll(() => suite.close());

/** A pod of a function that always has one. */
async function podOf(name: string): Promise<Pod> {
  const scaling = { minReplicas: 1, maxReplicas: 1 };
  await suite.apply(modelFunction(name, { scaling, timeoutSeconds: TIMEOUT_SECONDS }));
  await suite.untilReplicas(name, 1);
  return suite.podsOf(name)[0]!;
}

function isThere({ metadata: { uid } }: Pod): boolean {
  return suite.pods.objects.some(({ metadata }) => metadata.uid === uid);
}

async function untilGone(pod: Pod): Promise<void> {
  await suite.pods.until(`${pod.metadata.name} is gone`, () => (isThere(pod) ? undefined : true));
}

function destroy({ metadata: { name } }: Pod): Promise<string> {
  return suite.kubectl('delete', 'pod', name, '--wait=false');
}

async function untilRequestsIn(pod: Pod, requests: number): Promise<void> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1000;
  while ((await suite.requestsIn(pod)) !== requests) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${pod.metadata.name} has ${requests} requests.`);
    await delay(LOOK_MILLISECONDS);
  }
}

test.concurrent('TestDestroyPodTimely', async () => {
  const pod = await podOf('idle');
  expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(TIMEOUT_SECONDS);
  await destroy(pod);
  // Of which it uses nothing, for it has no request: Knative's is gone 30 s before the 5 minutes are over.
  await untilGone(pod);
});

test.concurrent('TestDestroyPodWithRequests', async () => {
  const pod = await podOf('busy');
  const requests: OpenRequest[] = [];
  // Each begins when the one before is in the pod. They are too large to be sent to another one.
  while (requests.length < 6) {
    requests.push(await suite.openInference('busy', DIGITS.request));
    await untilRequestsIn(pod, requests.length);
  }
  await destroy(pod);
  await suite.pods.until('another pod takes its place', (pods) =>
    pods.find(
      ({ metadata, status }) =>
        metadata.uid !== pod.metadata.uid &&
        metadata.name.startsWith('busy-') &&
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    ),
  );
  for (const request of requests) {
    expect(isThere(pod)).toBe(true);
    expect((await request.finish()).status).toBe(200);
  }
  await untilGone(pod);
});
