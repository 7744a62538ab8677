import type { KubernetesObject, OwnerReference } from './port.ts';

/** For what goes with its owner, and is kept as it should be by whoever looks after that. */
export function controllerReference({ apiVersion, kind, metadata }: KubernetesObject): OwnerReference {
  return {
    apiVersion,
    kind,
    name: metadata.name,
    uid: metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}
