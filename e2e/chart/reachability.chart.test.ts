/**
 * Who reaches whom where NetworkPolicies are enforced, by the chart's policies, the operator's and the labels of the pods that there really are. Rules as
 * Kubernetes has them: a pod that no policy selects for a direction is open in it, otherwise one rule of one policy must allow the connection, on both sides.
 */
import { describe, expect, test } from '@jest/globals';
import { DEFAULT_POD_SETTINGS } from '../../operator/pods/pod-settings.ts';
import { buildPod } from '../../operator/pods/pod-spec.ts';
import { buildNetworkPolicy } from '../../operator/network-policies/build-network-policy.ts';
import { modelRevision } from '../../operator/controllers/object-fixtures.ts';
import { NAMESPACE, render, type Manifest } from './support/chart.ts';
import { deployment, find } from './support/workloads.ts';

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
}
interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
}
interface Port {
  readonly port: number | string;
  readonly protocol: string;
}
interface Rule {
  readonly ports: readonly Port[];
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
}
interface PolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}
interface Endpoint {
  readonly namespace: string;
  /** Undefined for what is no pod. */
  readonly labels?: Labels;
  readonly ports?: Labels;
}

const chart = render();
const policies = [
  ...chart.filter(({ kind }) => kind === 'NetworkPolicy'),
  buildNetworkPolicy('models', NAMESPACE) as unknown as Manifest,
];

const ofChart = (component: 'operator' | 'gateway'): Endpoint => {
  const { metadata, spec } = deployment(chart, component).spec.template;
  return { namespace: NAMESPACE, labels: metadata.labels, ports: portsOf(spec.containers[0]?.ports) };
};
const runtimePod = buildPod(modelRevision(1), {
  name: 'digits-00001-0',
  attempt: 0,
  timeoutSeconds: 60,
  gateways: [],
  key: { id: 'k1', secret: 'c2VjcmV0' },
  logLevel: 'info',
  settings: DEFAULT_POD_SETTINGS,
});
const ENDPOINTS = {
  operator: ofChart('operator'),
  gateway: ofChart('gateway'),
  runtime: {
    namespace: 'models',
    labels: runtimePod.metadata.labels ?? {},
    ports: portsOf(runtimePod.spec.containers[0]?.ports),
  },
  'helm test': { namespace: NAMESPACE, labels: find(chart, 'Pod', 'pilotlight-test').metadata.labels ?? {} },
  'DNS server': { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
  'API server': { namespace: '' },
  Prometheus: { namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } },
  stranger: { namespace: 'shop', labels: { app: 'shop' } },
  'one like a gateway': { namespace: 'shop', labels: ofChart('gateway').labels ?? {} },
  'one like an operator': { namespace: 'models', labels: ofChart('operator').labels ?? {} },
} satisfies Record<string, Endpoint>;
type Name = keyof typeof ENDPOINTS;

describe('what it takes works', () => {
  test.each<[Name, Name, number]>([
    ['operator', 'API server', 443],
    ['operator', 'API server', 6443],
    ['operator', 'DNS server', 53],
    ['operator', 'gateway', 9091],
    ['operator', 'runtime', 9091],
    ['gateway', 'runtime', 8080],
    ['gateway', 'runtime', 8081],
    ['gateway', 'gateway', 9091],
    ['runtime', 'gateway', 9091],
    ['runtime', 'gateway', 8080],
    ['stranger', 'gateway', 8080],
    ['stranger', 'gateway', 8081],
    ['helm test', 'gateway', 8080],
    ['Prometheus', 'operator', 9090],
    ['Prometheus', 'gateway', 9090],
    ['Prometheus', 'runtime', 9090],
  ])('%s → %s:%i', (from, to, port) => {
    expect(reaches(from, to, port)).toBe(true);
  });
});

describe('what nobody needs does not', () => {
  test.each<[Name, Name, number]>([
    ['stranger', 'gateway', 9091],
    ['helm test', 'gateway', 9091],
    ['stranger', 'runtime', 8080],
    ['stranger', 'runtime', 9091],
    ['Prometheus', 'runtime', 8080],
    ['runtime', 'runtime', 8080],
    ['runtime', 'runtime', 9091],
    ['runtime', 'operator', 9091],
    ['operator', 'runtime', 8080],
    ['operator', 'stranger', 8080],
    ['one like a gateway', 'runtime', 8080],
    ['one like a gateway', 'runtime', 9091],
    ['one like a gateway', 'gateway', 9091],
    ['one like an operator', 'runtime', 9091],
    ['one like an operator', 'gateway', 9091],
    ['gateway', 'API server', 443],
    ['gateway', 'API server', 6443],
    ['gateway', 'DNS server', 53],
    ['gateway', 'stranger', 8080],
    ['gateway', 'operator', 9090],
  ])('%s → %s:%i', (from, to, port) => {
    expect(reaches(from, to, port)).toBe(false);
  });
});

/** By TCP. */
function reaches(fromName: Name, toName: Name, port: number): boolean {
  const [from, to]: Endpoint[] = [ENDPOINTS[fromName], ENDPOINTS[toName]];
  if (from === undefined || to === undefined) return false;
  return isAllowed('Egress', from, to, port, to) && isAllowed('Ingress', to, from, port, to);
}

function isAllowed(
  direction: 'Ingress' | 'Egress',
  pod: Endpoint,
  other: Endpoint,
  port: number,
  to: Endpoint,
): boolean {
  const selecting = policies
    .map((policy) => ({ namespace: policy.metadata.namespace, ...(policy['spec'] as PolicySpec) }))
    .filter(({ policyTypes }) => policyTypes.includes(direction))
    .filter(({ namespace, podSelector }) => namespace === pod.namespace && selects(podSelector, pod.labels));
  if (selecting.length === 0) return true;
  return selecting.some(({ namespace, ...spec }) =>
    (direction === 'Ingress' ? spec.ingress : spec.egress)?.some((rule) => {
      const peers = rule.from ?? rule.to;
      const isPort = rule.ports.some(
        ({ port: one, protocol }) => protocol === 'TCP' && (to.ports?.[one] ?? String(one)) === String(port),
      );
      return isPort && (peers === undefined || peers.some((peer) => isPeer(peer, other, namespace ?? '')));
    }),
  );
}

function isPeer({ namespaceSelector, podSelector = {} }: Peer, other: Endpoint, namespace: string): boolean {
  const isThere =
    namespaceSelector === undefined
      ? other.namespace === namespace
      : selects(namespaceSelector, { 'kubernetes.io/metadata.name': other.namespace });
  return isThere && selects(podSelector, other.labels);
}

/** What is no pod has no labels, and no selector of pods means it. */
function selects({ matchLabels = {} }: Selector, labels: Labels | undefined): boolean {
  return labels !== undefined && Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

function portsOf(ports: readonly { readonly name?: string; readonly containerPort: number }[] = []): Labels {
  return Object.fromEntries(ports.map(({ name = '', containerPort }) => [name, String(containerPort)]));
}
