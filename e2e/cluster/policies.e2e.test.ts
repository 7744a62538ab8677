/** The admission policies of examples/policies: functions that keep to them work as ever, and neither an author nor the operator gets beyond. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';
import { NETWORK_POLICY_NAME } from '../../operator/network-policies/build-network-policy.ts';
import { DIGITS } from '../local/examples.ts';
import { SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { modelFunction } from './support/manifests.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(120_000);

const POLICIES = join(import.meta.dirname, '../../examples/policies');
const OPERATOR = `--as=system:serviceaccount:${SYSTEM_NAMESPACE}:pilotlight-operator`;
const DRY_RUN = '--dry-run=server';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('policies');
  await kubectl(['label', 'namespace', suite.namespace, 'pilotlight.dev/policy=restricted']);
  await kubectl(['apply', '-f', POLICIES]);
  // The API server reads them with a delay.
  const probe = JSON.stringify(modelFunction('probe', { runtime: { image: 'own' } }));
  // Never carried out: of an object that is there as it is, kubectl sends nothing that could be refused.
  await untilRefused(() => kubectl(['apply', '-f', '-', '-n', suite.namespace, DRY_RUN], { input: probe }));
  await untilRefused(() => asOperator('create', 'service', 'clusterip', 'probe', '--tcp=80', DRY_RUN));
});
afterAll(async () => {
  await kubectl(['delete', '-f', POLICIES, '--ignore-not-found']);
  await suite.close();
});

test('a function that keeps to them starts, is called by its name and a tag, goes to zero and is deleted', async () => {
  await suite.apply(modelFunction('digits', { traffic: [{ revision: 'latest', percent: 100, tag: 'next' }] }));
  await suite.untilReady('digits');
  for (const host of ['digits', 'next--digits']) {
    const url = `http://${host}.${suite.namespace}/v2/models/digits/infer`;
    const headers = { 'content-type': 'application/json' };
    expect(await suite.client.send({ url, body: DIGITS.request, headers })).toMatchObject({ status: 200 });
  }
  await suite.untilNoPods('digits');
  await suite.delete('digits');
  await suite.functions.until('there is no function', (all) => (all.length === 0 ? true : undefined));
});

describe('an author is refused', () => {
  const own = (name: string, key = 'token'): object => ({ name, valueFrom: { secretKeyRef: { name: 'other', key } } });
  test.each<[string, Partial<ModelFunctionManifest['spec']>, string]>([
    ['an image', { runtime: { image: 'example.com/own' } }, 'spec.runtime.image must be left out'],
    ['code in a variable', { runtime: { env: [{ name: 'NODE_OPTIONS', value: '--import=x' }] } }, 'spec.runtime.env'],
    ['a Secret of others as a variable', { runtime: { env: [own('HF_TOKEN') as never] } }, 'Secrets whose names'],
    [
      'it beside one of its own',
      { model: { uri: 'file:/m', secretName: 'models-s3' }, runtime: { env: [own('TZ') as never] } },
      'Secrets whose names',
    ],
    ['it as credentials', { model: { uri: 'file:/m', secretName: 'other' } }, 'Secrets whose names'],
    ['a claim of others', { model: { uri: 'pvc://other/model.onnx' } }, 'claims whose names'],
    ['an account', { pod: { serviceAccountName: 'cloud-admin' } }, 'spec.pod.serviceAccountName must be left out'],
    ['a priority', { pod: { priorityClassName: 'system-node-critical' } }, 'spec.pod.priorityClassName'],
    ['a thousand pods', { scaling: { maxReplicas: 1000 } }, 'spec.scaling.maxReplicas must be at most 20'],
    ['a place before others in line for GPUs', { scaling: { priority: 1 } }, 'spec.scaling.priority must be at most 0'],
    ['the memory of the gateways', { queue: { maxBytes: 2 ** 36 } }, 'spec.queue.maxBytes'],
  ])('%s', async (_what, spec, message) => {
    await expect(suite.apply(modelFunction('probe', spec))).rejects.toThrow(message);
  });
});

describe('an operator that was taken over is refused', () => {
  test.each<[string, object]>([
    ['an owner', { metadata: { name: 'probe' } }],
    ['a token', { spec: { automountServiceAccountToken: true } }],
    ["the node's network", { spec: { hostNetwork: true } }],
    ["the node's files", { spec: { volumes: [{ name: 'root', hostPath: { path: '/' } }] } }],
    ['a token as a volume', { spec: { volumes: [{ name: 't', projected: { sources: [] } }] } }],
    ['root', { spec: { securityContext: { runAsNonRoot: false } } }],
  ])('a pod that is as it should be but for %s', async (_what, change: { metadata?: object; spec?: object }) => {
    const owner = { apiVersion: 'pilotlight.dev/v1alpha1', kind: 'ModelRevision', name: 'digits-00001', uid: 'any' };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: change.metadata ?? { name: 'probe', ownerReferences: [owner] },
      spec: {
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'runtime',
            image: 'none',
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
        ...change.spec,
      },
    };
    // In a namespace that leaves Pod Security to nobody else.
    const create = (object: object): Promise<string> =>
      kubectl(['create', '-f', '-', '-n', 'default', OPERATOR, DRY_RUN], { input: JSON.stringify(object) });
    await expect(create(pod)).rejects.toThrow('The operator makes pods of revisions');
    const right = { ...pod, metadata: { name: 'probe', ownerReferences: [owner] } };
    if (change.spec === undefined) expect(await create(right)).toContain('created');
  });

  test("others' pods, Services and NetworkPolicies", async () => {
    await suite.kubectl('create', 'service', 'clusterip', 'shop', '--tcp=80');
    const others = 'The operator changes and deletes only what it made';
    const [client = ''] = (await suite.kubectl('get', 'pods', '-o=name')).trim().split('\n');
    await expect(asOperator('delete', client, DRY_RUN)).rejects.toThrow(others);
    await expect(asOperator('delete', 'service/shop', DRY_RUN)).rejects.toThrow(others);
    const elsewhere = asOperator('create', 'service', 'externalname', 'probe', '--external-name=example.com', DRY_RUN);
    await expect(elsewhere).rejects.toThrow('Services that lead to the gateways');
    const spec = { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] };
    const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'open' }, spec };
    const open = kubectl(['create', '-f', '-', '-n', suite.namespace, OPERATOR, DRY_RUN], {
      input: JSON.stringify(policy),
    });
    await expect(open).rejects.toThrow(`The operator makes the NetworkPolicy ${NETWORK_POLICY_NAME}`);
  });

  test("anything in the cluster's own namespaces", async () => {
    const service = ['create', 'service', 'externalname', 'probe', '--external-name=x', DRY_RUN, OPERATOR];
    await expect(kubectl([...service, '-n', 'kube-system'])).rejects.toThrow('Functions have no place');
  });
});

function asOperator(...args: readonly string[]): Promise<string> {
  return suite.kubectl(...args, OPERATOR);
}

/** An API server tells nobody when a policy is in force; it takes in new ones, and labels of namespaces, within seconds. */
async function untilRefused(attempt: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (performance.now() < deadline) {
    try {
      await attempt();
    } catch (error) {
      if (String(error).includes('ValidatingAdmissionPolicy')) return;
      throw error;
    }
    await delay(250);
  }
  throw new Error('The policies did not come into force within 60 s.');
}
