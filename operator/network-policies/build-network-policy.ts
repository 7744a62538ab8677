/**
 * Builds the NetworkPolicy of a namespace with functions: who may speak with its runtime pods. Only gateways may call them, only gateways and operators
 * may drain them; metrics and probes are for whoever asks.
 */
import { COMPONENTS, LABELS, MANAGER, PRODUCT, RUNTIME_POD_LABELS } from '../../common/api/names.ts';
import { NETWORK_POLICIES, type NetworkPolicy, type NetworkPolicyPeer } from '../cluster/resources.ts';
import { RUNTIME_PORTS } from '../pods/runtime-ports.ts';

export const NETWORK_POLICY_NAME = 'pilotlight-runtime';

/** Every API server puts it on every namespace, with the namespace's name. */
const NAMESPACE_LABEL = 'kubernetes.io/metadata.name';

/** It says everything that an API server would fill in, so that what is stored is the same. */
export function buildNetworkPolicy(namespace: string, operatorNamespace: string): NetworkPolicy {
  const peer = (component: string): NetworkPolicyPeer => ({
    namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: operatorNamespace } },
    podSelector: { matchLabels: { [LABELS.name]: PRODUCT, [LABELS.component]: component } },
  });
  const gateways = peer(COMPONENTS.gateway);
  const { http, grpc, metrics, control } = RUNTIME_PORTS;
  return {
    apiVersion: NETWORK_POLICIES.apiVersion,
    kind: NETWORK_POLICIES.kind,
    metadata: {
      name: NETWORK_POLICY_NAME,
      namespace,
      labels: { [LABELS.name]: PRODUCT, [LABELS.managedBy]: MANAGER, [LABELS.partOf]: PRODUCT },
    },
    spec: {
      podSelector: { matchLabels: RUNTIME_POD_LABELS },
      policyTypes: ['Ingress'],
      ingress: [
        { from: [gateways], ports: [tcp(http), tcp(grpc)] },
        { from: [gateways, peer(COMPONENTS.operator)], ports: [tcp(control)] },
        { ports: [tcp(metrics)] },
      ],
    },
  };
}

function tcp(port: number): { readonly protocol: string; readonly port: number } {
  return { protocol: 'TCP', port };
}
