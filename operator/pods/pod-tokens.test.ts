import { expect, test } from '@jest/globals';
import { testPod } from '../cluster/memory/test-cluster.ts';
import type { EnvironmentVariable, Pod } from '../cluster/resources.ts';
import { drainToken, signingKeyId } from './pod-tokens.ts';

function pod(...env: EnvironmentVariable[]): Pod {
  return testPod('digits-00001-0', { containers: [{ name: 'runtime', image: 'runtime:1', env }] });
}

test('a pod shows the token that it wants to be drained with, and the key that signed', () => {
  const told = pod(
    { name: 'PILOTLIGHT_ANNOUNCE_TOKEN', value: 'k1.abc' },
    { name: 'PILOTLIGHT_DRAIN_TOKEN', value: 'k1.def' },
  );
  expect(drainToken(told)).toBe('k1.def');
  expect(signingKeyId(told)).toBe('k1');
});

test.each<[string, Pod]>([
  ['none', testPod('digits-00001-0')],
  ['one that is no token', pod({ name: 'PILOTLIGHT_ANNOUNCE_TOKEN', value: 'abc' })],
  ['one without an id', pod({ name: 'PILOTLIGHT_ANNOUNCE_TOKEN', value: '.abc' })],
])('a pod with %s names no key', (_, given) => {
  expect(signingKeyId(given)).toBeUndefined();
  expect(drainToken(given)).toBeUndefined();
});
