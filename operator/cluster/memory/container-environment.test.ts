import { expect, test } from '@jest/globals';
import type { EnvironmentVariable, Secret } from '../resources.ts';
import { resolveEnvironment, type ResolvedEnvironment } from './container-environment.ts';
import { testPod, testSecret } from './test-cluster.ts';

const SECRET = testSecret('s3', { key: 'value' });

function resolve(env: readonly EnvironmentVariable[], secret: Secret | undefined = SECRET): ResolvedEnvironment {
  const pod = testPod('a', { nodeName: 'local' });
  const withUid = { ...pod, metadata: { ...pod.metadata, uid: 'u' } };
  return resolveEnvironment(withUid, { name: 'runtime', image: 'i', env }, '10.0.0.1', (name) =>
    name === 's3' ? secret : undefined,
  );
}

test.each<[string, EnvironmentVariable[], Record<string, string>]>([
  ['a value', [{ name: 'A', value: 'b' }], { A: 'b' }],
  ['no value', [{ name: 'A' }], { A: '' }],
  [
    'the last of a name',
    [
      { name: 'A', value: '1' },
      { name: 'A', value: '$(A)2' },
    ],
    { A: '12' },
  ],
  [
    'an earlier variable',
    [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)-$(C)-$$(A)-$A' },
    ],
    { A: '1', B: '1-$(C)-$(A)-$A' },
  ],
  [
    'no later variable',
    [
      { name: 'B', value: '$(A)' },
      { name: 'A', value: '1' },
    ],
    { B: '$(A)', A: '1' },
  ],
  ['no variable of the prototype', [{ name: 'A', value: '$(constructor)' }], { A: '$(constructor)' }],
  ['the name', [field('metadata.name')], { A: 'a' }],
  ['the namespace', [field('metadata.namespace')], { A: 'default' }],
  ['the uid', [field('metadata.uid')], { A: 'u' }],
  ['the node', [field('spec.nodeName')], { A: 'local' }],
  ['the address', [field('status.podIP')], { A: '10.0.0.1' }],
  ['a secret', [secretKey('s3', 'key')], { A: 'value' }],
  ['nothing for an optional key', [secretKey('s3', 'other', true)], {}],
  ['nothing for an optional secret', [secretKey('none', 'key', true)], {}],
])('%s is resolved', (_name, env, environment) => {
  expect(resolve(env)).toEqual({ environment });
});

test.each<[string, EnvironmentVariable, string]>([
  ['a missing secret', secretKey('none', 'key'), 'secret "none" not found'],
  ['a missing key', secretKey('s3', 'other'), "couldn't find key other in Secret default/s3"],
  ['a key of the prototype', secretKey('s3', 'constructor'), "couldn't find key constructor in Secret default/s3"],
  ['an unknown field', field('spec.x'), 'fieldRef spec.x is not supported by this node'],
  [
    'an unknown source',
    { name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } as EnvironmentVariable['valueFrom'] & object },
    'env A: this node resolves value, fieldRef and secretKeyRef, not {"configMapKeyRef":{"name":"c","key":"k"}}',
  ],
])('%s is a problem', (_name, variable, problem) => {
  expect(resolve([variable])).toEqual({ problem });
});

function field(fieldPath: string): EnvironmentVariable {
  return { name: 'A', valueFrom: { fieldRef: { fieldPath } } };
}

function secretKey(name: string, key: string, optional = false): EnvironmentVariable {
  return { name: 'A', valueFrom: { secretKeyRef: { name, key, optional } } };
}
