/** What an API server fills in in a NetworkPolicy. */
import type { NetworkPolicy } from '../resources.ts';
import type { Admit } from './resource-definition.ts';

export const admitNetworkPolicy: Admit = (object) => {
  const { spec, ...rest } = object as NetworkPolicy;
  if (spec === undefined) return { object, causes: [] };
  const { ingress } = spec;
  const defaulted = {
    policyTypes: ['Ingress' as const],
    ...spec,
    ...(ingress === undefined
      ? {}
      : {
          ingress: ingress.map((rule) => ({
            ...rule,
            ...(rule.ports === undefined ? {} : { ports: rule.ports.map((port) => ({ protocol: 'TCP', ...port })) }),
          })),
        }),
  };
  return { object: { ...rest, spec: defaulted }, causes: [] };
};
