import { describe, expect, test } from '@jest/globals';
import { readConfiguration, readLogLevel } from './configuration.ts';
import { DEFAULT_POD_SETTINGS } from './pods/pod-settings.ts';

const NEW = 'n'.repeat(43);
const OLD = 'o'.repeat(43);

const complete = {
  PILOTLIGHT_NAMESPACE: 'pilotlight-system',
  PILOTLIGHT_CONTROL_TOKEN: 'control',
  PILOTLIGHT_SIGNING_KEYS: `[{"id":"k2","secret":"${NEW}"},{"id":"k1","secret":"${OLD}"}]`,
  PILOTLIGHT_RUNTIME_IMAGE: 'runtime:1',
};

test('the environment is read, with defaults for the rest', () => {
  const { url, ...configuration } = readConfiguration(complete, 'operator-abc');
  expect(configuration).toEqual({
    name: 'operator-abc',
    namespace: 'pilotlight-system',
    controlToken: 'control',
    signingKeys: [
      { id: 'k2', secret: NEW },
      { id: 'k1', secret: OLD },
    ],
    images: { cpu: 'runtime:1', cuda: 'runtime:1' },
    gateways: undefined,
    healthPort: 9090,
    healthHost: undefined,
    runtimeLogLevel: 'info',
    runtimePods: DEFAULT_POD_SETTINGS,
  });
  expect(url('default', 'digits')).toBe('http://digits.default');
  expect(url('default', 'digits', 'next')).toBe('http://next--digits.default');
});

test('what is set for all runtime pods is read', () => {
  const { runtimePods } = readConfiguration(
    {
      ...complete,
      PILOTLIGHT_RUNTIME_IMAGE_PULL_POLICY: 'Never',
      PILOTLIGHT_RUNTIME_IMAGE_PULL_SECRETS: 'registry, mirror.example',
      PILOTLIGHT_RUNTIME_SAFE_TO_EVICT: 'false',
      PILOTLIGHT_RUNTIME_READ_ONLY_ROOT_FILESYSTEM: 'true',
    },
    'host',
  );
  expect(runtimePods).toEqual({
    imagePullPolicy: 'Never',
    imagePullSecrets: ['registry', 'mirror.example'],
    safeToEvict: false,
    readOnlyRootFilesystem: true,
  });
});

describe('what is missing or wrong is named', () => {
  test.each<[string, string | undefined, RegExp]>([
    ['PILOTLIGHT_NAMESPACE', undefined, /PILOTLIGHT_NAMESPACE is not set/],
    ['PILOTLIGHT_CONTROL_TOKEN', '', /PILOTLIGHT_CONTROL_TOKEN is not set/],
    ['PILOTLIGHT_RUNTIME_IMAGE', undefined, /PILOTLIGHT_RUNTIME_IMAGE is not set/],
    ['PILOTLIGHT_SIGNING_KEYS', 'secret', /PILOTLIGHT_SIGNING_KEYS must be a JSON array/],
    ['PILOTLIGHT_SIGNING_KEYS', '[]', /PILOTLIGHT_SIGNING_KEYS must be a JSON array/],
    ['PILOTLIGHT_SIGNING_KEYS', '[{"id":"a","secret":"short"}]', /each secret 32 to 256/],
    ['PILOTLIGHT_SIGNING_KEYS', `[{"id":"a.b","secret":"${NEW}"}]`, /PILOTLIGHT_SIGNING_KEYS must be a JSON array/],
    ['PILOTLIGHT_SIGNING_KEYS', `[{"id":"a","secret":"${NEW}"},7]`, /PILOTLIGHT_SIGNING_KEYS must be a JSON array/],
    ['PILOTLIGHT_METRICS_PORT', '70000', /PILOTLIGHT_METRICS_PORT is "70000" but must be an integer/],
    ['PILOTLIGHT_METRICS_PORT', '', /PILOTLIGHT_METRICS_PORT is "" but must be an integer/],
    ['PILOTLIGHT_RUNTIME_LOG_LEVEL', 'loud', /PILOTLIGHT_RUNTIME_LOG_LEVEL is "loud" but must be one of/],
    [
      'PILOTLIGHT_RUNTIME_IMAGE_PULL_POLICY',
      'always',
      /PULL_POLICY is "always" but must be one of Always, IfNotPresent/,
    ],
    ['PILOTLIGHT_RUNTIME_IMAGE_PULL_SECRETS', 'a,,b', /PULL_SECRETS has "" but must be names of Secrets/],
    ['PILOTLIGHT_RUNTIME_IMAGE_PULL_SECRETS', 'A_b', /PULL_SECRETS has "A_b" but must be names of Secrets/],
    ['PILOTLIGHT_RUNTIME_SAFE_TO_EVICT', 'yes', /SAFE_TO_EVICT is "yes" but must be true or false/],
    ['PILOTLIGHT_RUNTIME_READ_ONLY_ROOT_FILESYSTEM', '', /FILESYSTEM is "" but must be true or false/],
  ])('%s = %s', (variable, value, message) => {
    expect(() => readConfiguration({ ...complete, [variable]: value }, 'host')).toThrow(message);
  });

  test('but a secret is not repeated', () => {
    expect(() => readConfiguration({ ...complete, PILOTLIGHT_SIGNING_KEYS: 'hush' }, 'host')).not.toThrow(/hush/);
  });
});

test('the log level is info unless it is set', () => {
  expect(readLogLevel({}, 'LEVEL')).toBe('info');
  expect(readLogLevel({ LEVEL: 'debug' }, 'LEVEL')).toBe('debug');
});
