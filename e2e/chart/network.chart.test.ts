/** Who may speak with whom, as the manifests say it: many networks enforce no NetworkPolicy, so none is tried here. */
import { describe, expect, test } from '@jest/globals';
import { render, type Values } from './support/chart.ts';
import { container, deployment, find } from './support/workloads.ts';

const own = (component: string): object => ({
  podSelector: {
    matchLabels: {
      'app.kubernetes.io/name': 'pilotlight',
      'app.kubernetes.io/instance': 'pilotlight',
      'app.kubernetes.io/component': component,
    },
  },
});
/** The operator puts these labels on them, with the function as instance. */
const RUNTIMES = {
  namespaceSelector: {},
  podSelector: { matchLabels: { 'app.kubernetes.io/name': 'pilotlight', 'app.kubernetes.io/component': 'runtime' } },
};
const tcp = (...ports: readonly (string | number)[]): object[] => ports.map((port) => ({ port, protocol: 'TCP' }));

function policy(component: string, values: Values = {}): unknown {
  return find(render(values), 'NetworkPolicy', `pilotlight-${component}`)['spec'];
}

test('the gateway: traffic from everywhere; control from its own; out to runtimes and other gateways alone', () => {
  expect(policy('gateway')).toEqual({
    ...own('gateway'),
    policyTypes: ['Ingress', 'Egress'],
    ingress: [
      { ports: tcp('http', 'external') },
      { ports: tcp('control'), from: [own('operator'), own('gateway'), RUNTIMES] },
      { ports: tcp('metrics') },
    ],
    egress: [
      { ports: tcp(8080, 8081), to: [RUNTIMES] },
      { ports: tcp(9091), to: [own('gateway')] },
    ],
  });
});

test('the operator: monitoring comes in; DNS, the API, gateways and runtimes are reached', () => {
  expect(policy('operator')).toEqual({
    ...own('operator'),
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: tcp('metrics') }],
    egress: [
      { ports: [{ port: 53, protocol: 'UDP' }, ...tcp(53)] },
      { ports: tcp(443, 6443, 8443, 16443) },
      { ports: tcp(9091), to: [own('gateway'), RUNTIMES] },
    ],
  });
});

describe('as told', () => {
  const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } };

  test('only some and helm test call functions, and only monitoring scrapes', () => {
    expect(policy('gateway', 'full')).toMatchObject({
      ingress: [
        {
          ports: tcp('http', 'external'),
          from: [{ namespaceSelector: { matchLabels: { 'example.com/calls': 'models' } } }, own('test')],
        },
        {},
        { ports: tcp('metrics'), from: [monitoring] },
      ],
      egress: [{}, {}, { ports: [{ port: 4318 }] }],
    });
  });

  test('the operator reaches the API on other ports, and a proxy', () => {
    expect(policy('operator', 'full')).toMatchObject({
      ingress: [{ from: [monitoring] }],
      egress: [{}, { ports: tcp(6443) }, {}, { ports: [{ port: 3128 }] }],
    });
  });

  test('none at all', () => {
    expect(render('small').filter(({ kind }) => kind === 'NetworkPolicy')).toEqual([]);
  });
});

test('the ports that they name are those of the pods', () => {
  const manifests = render();
  const ports = (component: 'operator' | 'gateway'): unknown[] =>
    (container(deployment(manifests, component)).ports ?? []).map(({ name, containerPort }) => [name, containerPort]);
  expect(ports('gateway')).toEqual([
    ['http', 8080],
    ['external', 8081],
    ['metrics', 9090],
    ['control', 9091],
  ]);
  expect(ports('operator')).toEqual([['metrics', 9090]]);
});

test('callers in the cluster and from outside come by Services of their own', () => {
  const port = (name: string): unknown => (find(render(), 'Service', name)['spec'] as { ports: unknown }).ports;
  expect(port('pilotlight-gateway')).toEqual([{ name: 'http', port: 80, targetPort: 'http', appProtocol: 'http' }]);
  expect(port('pilotlight-gateway-external')).toEqual([
    { name: 'http', port: 80, targetPort: 'external', appProtocol: 'http' },
  ]);
});
