/** What an API server knows of each resource that it serves: which subresources it has, and how its objects are admitted. */
import type { FieldCause, KubernetesObject } from '../port.ts';
import { admitNetworkPolicy } from './network-policy-admission.ts';
import { admitPod } from './pod-admission.ts';
import { admitService } from './service-admission.ts';

/** Defaults, prunes and validates. Any cause refuses the write; `object` is then not used. */
export type Admit = (
  object: KubernetesObject,
  oldObject?: KubernetesObject,
) => { readonly object: KubernetesObject; readonly causes: readonly FieldCause[] };

export interface ResourceDefinition {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Status is a subresource: create drops it, update keeps the old one, patchStatus alone writes it. */
  readonly status: boolean;
  /** `spec.replicas` can be set through `/scale`. */
  readonly scale: boolean;
  /** `metadata.generation` counts the changes of everything but metadata and status. */
  readonly generation: boolean;
  readonly admit?: Admit;
}

/** Kinds of Kubernetes itself that the product writes or tests name as owners. */
export const BUILT_IN_RESOURCES: readonly ResourceDefinition[] = [
  { ...builtIn('v1', 'Pod', 'pods'), status: true, admit: admitPod },
  builtIn('v1', 'Secret', 'secrets'),
  builtIn('v1', 'ConfigMap', 'configmaps'),
  builtIn('v1', 'Event', 'events'),
  { ...builtIn('v1', 'Service', 'services'), status: true, admit: admitService },
  { ...builtIn('v1', 'Node', 'nodes'), status: true, namespaced: false },
  { ...builtIn('v1', 'Namespace', 'namespaces'), status: true, namespaced: false },
  {
    ...builtIn('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
    generation: true,
    admit: admitNetworkPolicy,
  },
  builtIn('coordination.k8s.io/v1', 'Lease', 'leases'),
  { ...builtIn('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'), status: true, generation: true },
];

function builtIn(apiVersion: string, kind: string, plural: string): ResourceDefinition {
  return { apiVersion, kind, plural, namespaced: true, status: false, scale: false, generation: false };
}
