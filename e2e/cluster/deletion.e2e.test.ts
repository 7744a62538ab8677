import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { MODEL_REVISIONS, NETWORK_POLICIES, SERVICES } from '../../operator/cluster/resources.ts';
import { DIGITS } from '../local/examples.ts';
import type { ClientRequest } from './support/client/protocol.ts';
import { GATEWAY, SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { modelFunction } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

const REPLICAS = 3;

let suite: Suite;
let before: readonly string[];
beforeAll(async () => {
  suite = await startSuite('deletion');
  before = await inventory();
  const scaling = { minReplicas: REPLICAS, maxReplicas: REPLICAS };
  await suite.apply(
    modelFunction('digits', { scaling, traffic: [{ revision: 'latest', percent: 100, tag: 'now' }] }),
    modelFunction('other'),
  );
  await suite.untilReplicas('digits', REPLICAS);
  await suite.untilReady('other');
});
afterAll(() => suite.close());

/** Every object of the namespace, of every kind that the API server knows; Events tell of the past. */
async function inventory(): Promise<string[]> {
  const types = await kubectl(['api-resources', '--namespaced', '--verbs=list', '-o=name']);
  const kinds = types.split('\n').filter((type) => type !== '' && !type.startsWith('events'));
  const objects = await suite.kubectl('get', kinds.join(','), '-o=name');
  return objects.split('\n').sort();
}

/** Past the function's Service, which goes with it: who connects anew then finds no address. */
function byGateway(of: Suite): ClientRequest {
  const path = `/functions/${of.namespace}/digits/v2/models/digits/infer`;
  return { ...of.inference('digits', DIGITS.request), url: `http://${GATEWAY}.${SYSTEM_NAMESPACE}${path}` };
}

test('a function that is deleted at work answers what it has and is then unknown; no request breaks', async () => {
  expect(await inventory()).not.toEqual(before);
  const begunBefore = await suite.openInference('digits', DIGITS.request);
  const load = await suite.client.load({
    request: byGateway(suite),
    concurrency: 4,
    keepAlive: true,
  });
  await load.until({ ended: 100 });
  await suite.delete('digits');
  await load.until({ outcome: { name: '404 unknown-function', inARow: 8 } });
  expect((await begunBefore.finish()).status).toBe(200);
  const { outcomes, sent } = await load.stop();
  expect(Object.keys(outcomes).sort()).toEqual(['200', '404 unknown-function']);
  expect(outcomes['200']! + outcomes['404 unknown-function']!).toBe(sent);
});

test('nothing of it is left, and the other function keeps what is its own and what was shared', async () => {
  await suite.untilNoPods('digits');
  const revisions = await suite.watch(MODEL_REVISIONS);
  await revisions.until('its revisions are gone', (all) =>
    all.every(({ metadata }) => metadata.name === 'other-00001') ? true : undefined,
  );
  const services = await suite.watch(SERVICES);
  await services.until('its Services are gone', (all) =>
    all.every(({ metadata }) => metadata.name === 'other') ? true : undefined,
  );
  const policies = await suite.watch(NETWORK_POLICIES);
  expect(policies.objects.map(({ metadata }) => metadata.name)).toEqual(['pilotlight-runtime']);
  expect((await suite.infer('other', DIGITS.request)).status).toBe(200);
});

test('with the last function of a namespace goes everything that was made in it', async () => {
  await suite.delete('other');
  await suite.untilNoPods('other');
  const policies = await suite.watch(NETWORK_POLICIES);
  await policies.until('the policy is gone', (all) => (all.length === 0 ? true : undefined));
  expect(await inventory()).toEqual(before);
});

test('a namespace that is deleted goes, with a function at work in it', async () => {
  const doomed = await startSuite('deletion-doomed');
  await doomed.apply(modelFunction('digits', { scaling: { minReplicas: 2, maxReplicas: 2 } }));
  await doomed.untilReplicas('digits', 2);
  const load = await suite.client.load({ request: byGateway(doomed), concurrency: 2, keepAlive: true });
  await load.until({ ended: 100 });
  await doomed.close();
  await load.until({ outcome: { name: '404 unknown-function', inARow: 8 } });
  const { failures, outcomes } = await load.stop();
  process.stdout.write(`Requests to the namespace that went: ${JSON.stringify(outcomes)}.\n`);
  // Kubernetes deletes the kinds in an order of its own: a function may have lost its revisions before it goes itself.
  const answers = ['404 unknown-function', '503 revision-failed'];
  expect(failures.filter(({ outcome }) => !answers.includes(outcome))).toEqual([]);
  await kubectl(['wait', '--for=delete', `namespace/${doomed.namespace}`, '--timeout=60s'], { timeoutSeconds: 70 });
});
