import { expect, test } from '@jest/globals';
import type { NetworkPolicy } from '../cluster/resources.ts';
import { buildNetworkPolicy } from './build-network-policy.ts';
import { planNetworkPolicy, type NetworkPolicyPlan } from './plan-network-policy.ts';

const wanted = buildNetworkPolicy('models', 'pilotlight-system');
const spec = { podSelector: {}, ...wanted.spec };
const present: NetworkPolicy = { ...wanted, metadata: { ...wanted.metadata, uid: 'uid', resourceVersion: '7' } };
const foreign: NetworkPolicy = { ...present, metadata: { ...present.metadata, labels: { app: 'theirs' } } };
const ending: NetworkPolicy = {
  ...present,
  metadata: { ...present.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
};
const matchExpressions = [{ key: 'a', operator: 'Exists' }];
const [first, ...rest] = spec.ingress ?? [];

test.each<[string, NetworkPolicy | undefined, NetworkPolicy | undefined, NetworkPolicyPlan['type']]>([
  ['created where there is none', wanted, undefined, 'Create'],
  ['let be where it is as wanted', wanted, present, 'Nothing'],
  ['not made where it is not wanted', undefined, undefined, 'Nothing'],
  ['deleted where it is not wanted any more', undefined, present, 'Delete'],
  ['left alone where it is somebody else’s', wanted, foreign, 'Foreign'],
  ['left alone also where none is wanted', undefined, foreign, 'Nothing'],
  ['waited for while it is being deleted', wanted, ending, 'Nothing'],
  [
    'put right when a rule is added',
    wanted,
    { ...present, spec: { ...spec, ingress: [{}, ...(spec.ingress ?? [])] } },
    'Update',
  ],
  [
    'put right when a port becomes a range',
    wanted,
    {
      ...present,
      spec: { ...spec, ingress: [{ ...first, ports: [{ protocol: 'TCP', port: 8080, endPort: 9091 }] }, ...rest] },
    },
    'Update',
  ],
  [
    'put right when fewer pods are selected',
    wanted,
    { ...present, spec: { ...spec, podSelector: { ...spec.podSelector, matchExpressions } } },
    'Update',
  ],
  [
    'put right when a label is gone',
    wanted,
    {
      ...present,
      metadata: { ...present.metadata, labels: { 'app.kubernetes.io/managed-by': 'pilotlight-operator' } },
    },
    'Update',
  ],
])('a NetworkPolicy is %s', (_name, want, have, type) => {
  const plan = planNetworkPolicy(want, have);
  expect(plan.type).toBe(type);
  if (plan.type === 'Update') expect(plan.policy).toEqual(present);
});
