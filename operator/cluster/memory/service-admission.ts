/** What an API server fills in and refuses in a Service, as far as this product's own can come to it: a type that somebody changed, a missing name. */
import type { FieldCause } from '../port.ts';
import type { Service } from '../resources.ts';
import type { Admit } from './resource-definition.ts';

const CLUSTER_IP = '10.96.0.10';
/** What only Services with an address have; a change of the type takes it away. */
const OF_CLUSTER_IP = {
  clusterIP: CLUSTER_IP,
  clusterIPs: [CLUSTER_IP],
  internalTrafficPolicy: 'Cluster',
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
} as const;

export const admitService: Admit = (object, oldObject) => {
  const { spec = {}, ...rest } = object as Service;
  const { type = 'ClusterIP', ports = [] } = spec;
  const defaulted = {
    ...(type === 'ExternalName' ? {} : OF_CLUSTER_IP),
    sessionAffinity: 'None',
    ...spec,
    type,
    ...(ports.length === 0
      ? {}
      : { ports: ports.map((port) => ({ protocol: 'TCP', targetPort: port.port, ...port })) }),
  };
  return {
    object: {
      ...rest,
      spec: defaulted,
      ...(oldObject === undefined ? { status: { loadBalancer: {} } } : {}),
    } as Service,
    causes: validate(defaulted),
  };
};

function validate(spec: NonNullable<Service['spec']>): FieldCause[] {
  if (spec.type !== 'ExternalName') return [];
  const causes: FieldCause[] = [];
  if ((spec.externalName ?? '') === '') causes.push({ field: 'spec.externalName', message: 'Required value' });
  for (const field of ['clusterIP', 'clusterIPs']) {
    if (spec[field] === undefined) continue;
    causes.push({ field: `spec.${field}`, message: 'Forbidden: may not be set when `type` is "ExternalName"' });
  }
  return causes;
}
