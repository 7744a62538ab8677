import { expect, test } from '@jest/globals';
import { modelRevision } from '../controllers/object-fixtures.ts';
import { DEFAULT_POD_SETTINGS } from '../pods/pod-settings.ts';
import { buildPod } from '../pods/pod-spec.ts';
import { buildNetworkPolicy } from './build-network-policy.ts';

const policy = buildNetworkPolicy('models', 'pilotlight-system');

test('gateways call, gateways and operators drain, anybody reads metrics', () => {
  const peer = (component: string): object => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'pilotlight-system' } },
    podSelector: {
      matchLabels: { 'app.kubernetes.io/name': 'pilotlight', 'app.kubernetes.io/component': component },
    },
  });
  expect(policy).toEqual({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {
      name: 'pilotlight-runtime',
      namespace: 'models',
      labels: {
        'app.kubernetes.io/name': 'pilotlight',
        'app.kubernetes.io/managed-by': 'pilotlight-operator',
        'app.kubernetes.io/part-of': 'pilotlight',
      },
    },
    spec: {
      podSelector: {
        matchLabels: {
          'app.kubernetes.io/component': 'runtime',
          'app.kubernetes.io/managed-by': 'pilotlight-operator',
        },
      },
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [peer('gateway')],
          ports: [
            { protocol: 'TCP', port: 8080 },
            { protocol: 'TCP', port: 8081 },
          ],
        },
        { from: [peer('gateway'), peer('operator')], ports: [{ protocol: 'TCP', port: 9091 }] },
        { ports: [{ protocol: 'TCP', port: 9090 }] },
      ],
    },
  });
});

test('it selects the pods that are made, and names each of their ports', () => {
  const { metadata, spec } = buildPod(modelRevision(1), {
    name: 'digits-00001-0',
    attempt: 0,
    timeoutSeconds: 60,
    gateways: [],
    key: { id: 'k', secret: 'c2VjcmV0' },
    logLevel: 'info',
    settings: DEFAULT_POD_SETTINGS,
  });
  expect(metadata.labels).toMatchObject(policy.spec?.podSelector.matchLabels ?? {});
  const named = (policy.spec?.ingress ?? []).flatMap(({ ports = [] }) => ports.map(({ port }) => port));
  expect(named.sort()).toEqual(spec.containers[0]?.ports?.map(({ containerPort }) => containerPort).sort());
});
