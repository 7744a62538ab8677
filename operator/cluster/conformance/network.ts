/** What comes back of the Services and NetworkPolicies that the operator makes: it compares them with what it wants. */
import { describe, expect, test } from '@jest/globals';
import { NETWORK_POLICIES, SECRETS, SERVICES, type NetworkPolicy, type Service } from '../resources.ts';
import { isNamespaceEnding } from '../is-namespace-ending.ts';
import { secret, uniqueName, type CurrentSubject } from './subject.ts';

const EXTERNAL_NAME = {
  type: 'ExternalName',
  externalName: 'gateway.system.svc.cluster.local',
  ports: [{ name: 'http', port: 80 }],
} as const;

export function describeNetwork(current: CurrentSubject): void {
  const service = (name: string): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: current().namespace, name },
    spec: EXTERNAL_NAME,
  });

  describe('a Service that is a name for another', () => {
    test('has what it was given, the defaults of its ports, and no address', async () => {
      const created = await current().cluster.create(SERVICES, service(uniqueName('tag--service')));
      expect(created.spec).toEqual({
        ...EXTERNAL_NAME,
        ports: [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 80 }],
        sessionAffinity: 'None',
      });
    });

    test('gets an address when its type is changed, and loses it when that is taken back', async () => {
      const { cluster } = current();
      const created = await cluster.create(SERVICES, service(uniqueName('service')));
      const changed = await cluster.update(SERVICES, { ...created, spec: { ...created.spec, type: 'ClusterIP' } });
      expect(changed.spec?.['clusterIP']).toMatch(/^[0-9a-f.:]+$/);
      const restored = await cluster.update(SERVICES, { ...changed, spec: EXTERNAL_NAME });
      expect(restored.spec).toEqual(created.spec);
    });

    test('needs that other name', async () => {
      const { ports } = EXTERNAL_NAME;
      const nameless = { ...service(uniqueName('service')), spec: { type: 'ExternalName', ports } as const };
      await expect(current().cluster.create(SERVICES, nameless)).rejects.toMatchObject({
        reason: 'Invalid',
        causes: [{ field: 'spec.externalName' }],
      });
    });
  });

  describe('a NetworkPolicy', () => {
    const peer = {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'system' } },
      podSelector: { matchLabels: { component: 'gateway' } },
    };
    const policy = (spec: NetworkPolicy['spec']): NetworkPolicy => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { namespace: current().namespace, name: uniqueName('policy') },
      ...(spec === undefined ? {} : { spec }),
    });
    const complete = {
      podSelector: { matchLabels: { component: 'runtime' } },
      policyTypes: ['Ingress' as const],
      ingress: [
        { from: [peer], ports: [{ protocol: 'TCP', port: 8080 }] },
        { ports: [{ protocol: 'TCP', port: 9090 }] },
      ],
    };

    test('that says everything is kept as it was given', async () => {
      const { cluster } = current();
      const created = await cluster.create(NETWORK_POLICIES, policy(complete));
      expect(created.spec).toEqual(complete);
      expect(created.metadata.generation).toBe(1);
    });

    test('that says less is filled in', async () => {
      const { podSelector } = complete;
      const short = { podSelector, ingress: [{ ports: [{ port: 9090 }] }] };
      const created = await current().cluster.create(NETWORK_POLICIES, policy(short));
      expect(created.spec).toEqual({
        podSelector,
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ protocol: 'TCP', port: 9090 }] }],
      });
    });
  });

  test('a namespace that is being deleted takes nothing new, and says why', async () => {
    const { cluster, endingNamespace } = current();
    if (endingNamespace === undefined) return;
    const namespace = await endingNamespace();
    const refusal = await cluster
      .create(SECRETS, secret({ namespace, name: uniqueName('late') }))
      .catch((e: unknown) => e);
    expect(refusal).toMatchObject({ reason: 'Forbidden', status: 403 });
    expect(isNamespaceEnding(refusal)).toBe(true);
  });
}
