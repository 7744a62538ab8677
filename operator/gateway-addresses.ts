/**
 * Where the gateways are, by their pods. Pure. One that is not ready counts: it may hold requests already, and one that ends holds them still. What
 * happened to a node is told by its pods: Kubernetes marks them not ready, and deletes them once they no longer tolerate it.
 */
import type { Pod } from './cluster/resources.ts';
import type { GatewayAddress } from './gateways/gateway-stream.ts';

export function gatewayAddresses(pods: readonly Pod[]): GatewayAddress[] {
  return pods.flatMap(({ metadata, spec, status }) => {
    const ports = spec.containers.flatMap((container) => container.ports ?? []);
    const control = ports.find(({ name }) => name === 'control')?.containerPort;
    const ended = status?.phase === 'Failed' || status?.phase === 'Succeeded';
    if (status?.podIP === undefined || control === undefined || metadata.uid === undefined || ended) return [];
    const ready = status.conditions?.find(({ type }) => type === 'Ready');
    const doubtful = metadata.deletionTimestamp !== undefined || (ready !== undefined && ready.status !== 'True');
    return [{ id: metadata.uid, host: status.podIP, controlPort: control, doubtful }];
  });
}
