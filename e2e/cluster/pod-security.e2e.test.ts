import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { DIGITS } from '../local/examples.ts';
import { SYSTEM_NAMESPACE } from './support/installation.ts';
import { kubectl } from './support/kubectl.ts';
import { modelFunction } from './support/manifests.ts';
import { applyObjects } from './support/objects.ts';
import { startSuite, type Suite } from './support/suite.ts';

jest.setTimeout(60_000);

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite('pod-security');
});
afterAll(async () => {
  await kubectl([
    'delete',
    `priorityclass/${suite.namespace}`,
    `runtimeclass/${suite.namespace}`,
    '--ignore-not-found',
  ]);
  await suite.close();
});

test('the namespace refuses pods that are less than restricted', async () => {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: suite.namespace, name: 'root' },
    spec: { containers: [{ name: 'root', image: 'none' }] },
  };
  await expect(applyObjects(pod)).rejects.toThrow(/violates PodSecurity "restricted/);
});

test('a function with every option of spec.pod runs in it, and its pod is as asked', async () => {
  const name = suite.namespace;
  await applyObjects(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace: name, name: 'models' } },
    { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value: 7 },
    { apiVersion: 'node.k8s.io/v1', kind: 'RuntimeClass', metadata: { name }, handler: 'runc' },
  );
  const terms = [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }];
  const pod = {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'gpu', operator: 'Exists' as const, effect: 'NoSchedule' as const }],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: terms }] },
      },
    },
    serviceAccountName: 'models',
    priorityClassName: name,
    runtimeClassName: name,
  };
  await suite.apply(modelFunction('digits', { pod, scaling: { minReplicas: 1 } }));
  await suite.untilReady('digits');
  expect((await suite.infer('digits', DIGITS.request)).status).toBe(200);

  const spec = suite.podsOf('digits')[0]?.spec;
  expect(spec).toMatchObject({
    ...pod,
    tolerations: expect.arrayContaining(pod.tolerations),
    priority: 7,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
  });
  // Each would cost its start 300 ms.
  expect(spec).not.toHaveProperty('volumes');
  expect(spec).not.toHaveProperty('initContainers');
});

test('the pods of Pilotlight itself would pass the same', async () => {
  const label = 'pod-security.kubernetes.io/enforce=restricted';
  const args = ['label', 'namespace', SYSTEM_NAMESPACE, label, '--overwrite', '--dry-run=server'];
  // The API server warns of each pod that would not.
  await expect(kubectl([...args, '--warnings-as-errors'])).resolves.toBeDefined();
});
