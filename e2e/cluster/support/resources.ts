/** Resources of Kubernetes that only the tests look at, with their objects reduced to what they look at. */
import type { KubernetesObject, Resource } from '../../../operator/cluster/port.ts';
import { PODS, type ContainerStatus, type EnvironmentVariable, type Pod } from '../../../operator/cluster/resources.ts';

export const NAMESPACES: Resource<KubernetesObject> = {
  apiVersion: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  namespaced: false,
};

export interface ResourceQuota extends KubernetesObject {
  /** `hard` is what is enforced; it follows the spec a moment later. */
  readonly status?: { readonly hard?: Readonly<Record<string, string>> };
}
export const RESOURCE_QUOTAS: Resource<ResourceQuota> = {
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  namespaced: true,
};

export interface Node extends KubernetesObject {
  readonly status?: {
    readonly capacity?: Readonly<Record<string, string>>;
    readonly allocatable?: Readonly<Record<string, string>>;
  };
}
export const NODES: Resource<Node> = { apiVersion: 'v1', kind: 'Node', plural: 'nodes', namespaced: false };

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly name: string;
          readonly image: string;
          readonly imagePullPolicy?: string;
          readonly env?: readonly EnvironmentVariable[];
        }[];
        readonly imagePullSecrets?: readonly { readonly name: string }[];
      };
    };
  };
  readonly status?: { readonly availableReplicas?: number };
}
export const DEPLOYMENTS: Resource<Deployment> = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
};

export interface RunningPod extends Pod {
  readonly status?: Omit<NonNullable<Pod['status']>, 'containerStatuses'> & {
    readonly containerStatuses?: readonly (ContainerStatus & { readonly containerID?: string })[];
  };
}
export const RUNNING_PODS: Resource<RunningPod> = { ...PODS };

/** Those of its containers that were started: `containerd://0123…` is 0123…, which is in the cgroup of each of its processes. */
export function containerIds({ status }: RunningPod): { readonly name: string; readonly id: string }[] {
  return (status?.containerStatuses ?? []).flatMap(({ name, containerID }) =>
    containerID === undefined ? [] : [{ name, id: containerID.replace(/^.*:\/\//, '') }],
  );
}
