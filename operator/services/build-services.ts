/**
 * Builds the Services by which pods of the cluster call a function, `http://digits.models`, and each of its tags, `http://next--digits.models`.
 * They are names for the gateways (a CNAME in the cluster's DNS): whether the function is at zero or not, nothing about them changes.
 */
import type { ModelFunction } from '../../common/api/kinds.ts';
import { functionLabels } from '../../common/api/names.ts';
import { controllerReference } from '../cluster/controller-reference.ts';
import { SERVICES, type Service } from '../cluster/resources.ts';

const TAG_SEPARATOR = '--';

/**
 * @param tags of the function's traffic
 * @param gatewayHost full DNS name of the gateways' Service
 */
export function buildServices(fn: ModelFunction, tags: readonly string[], gatewayHost: string): Service[] {
  const { name, namespace } = fn.metadata;
  const names = [name, ...tags.map((tag) => `${tag}${TAG_SEPARATOR}${name}`)];
  return names.map((serviceName) => ({
    apiVersion: SERVICES.apiVersion,
    kind: SERVICES.kind,
    metadata: {
      name: serviceName,
      ...(namespace === undefined ? {} : { namespace }),
      labels: functionLabels(name),
      ownerReferences: [controllerReference(fn)],
    },
    spec: { type: 'ExternalName', externalName: gatewayHost, ports: [{ name: 'http', port: 80 }] },
  }));
}

/** The function that a Service of this name would be for. Neither tags nor functions have the separator in their names. */
export function functionOfService(serviceName: string): string {
  const at = serviceName.indexOf(TAG_SEPARATOR);
  return at === -1 ? serviceName : serviceName.slice(at + TAG_SEPARATOR.length);
}
