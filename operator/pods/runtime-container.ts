/** The runtime among a pod's containers: a service mesh, or whatever else an admission webhook belongs to, adds its own before or behind it. */
import { COMPONENTS } from '../../common/api/names.ts';
import type { Container, ContainerStatus, Pod } from '../cluster/resources.ts';

/** What the kubelet says of it; undefined until it has said anything. */
export function runtimeStatus({ status }: Pod): ContainerStatus | undefined {
  return status?.containerStatuses?.find(isRuntime);
}

export function runtimeContainer({ spec }: Pod): Container | undefined {
  return spec.containers.find(isRuntime);
}

function isRuntime({ name }: { readonly name: string }): boolean {
  return name === COMPONENTS.runtime;
}
