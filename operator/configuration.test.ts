import { describe, expect, test } from '@jest/globals';
import { readConfiguration, readControlSecret, readLogLevel } from './configuration.ts';
import { DEFAULT_POD_SETTINGS } from './pods/pod-settings.ts';

const complete = {
  PILOTLIGHT_NAMESPACE: 'pilotlight-system',
  PILOTLIGHT_RUNTIME_IMAGE: 'runtime:1',
};

test('the environment is read, with defaults for the rest', () => {
  const { url, ...configuration } = readConfiguration(complete, 'operator-abc');
  expect(configuration).toEqual({
    name: 'operator-abc',
    namespace: 'pilotlight-system',
    images: { cpu: 'runtime:1', cuda: 'runtime:1' },
    gateways: undefined,
    healthPort: 9090,
    healthHost: undefined,
    runtimeLogLevel: 'info',
    runtimePods: DEFAULT_POD_SETTINGS,
    gatewayHost: 'pilotlight-gateway.pilotlight-system.svc.cluster.local',
    networkPolicies: true,
    budgets: [],
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
      PILOTLIGHT_RUNTIME_MODEL_CACHE_SIZE: '40Gi',
      PILOTLIGHT_RUNTIME_SCRAPE_ANNOTATIONS: 'true',
    },
    'host',
  );
  expect(runtimePods).toEqual({
    imagePullPolicy: 'Never',
    imagePullSecrets: ['registry', 'mirror.example'],
    safeToEvict: false,
    readOnlyRootFilesystem: true,
    modelCacheSize: '40Gi',
    scrapeAnnotations: true,
  });
});

test('budgets are read, of the cluster and of a namespace', () => {
  const told = { ...complete, PILOTLIGHT_RUNTIME_BUDGETS: 'nvidia.com/gpu=8, research:example.com/card=0' };
  expect(readConfiguration(told, 'host').budgets).toEqual([
    { resource: 'nvidia.com/gpu', namespace: undefined, limit: 8 },
    { resource: 'example.com/card', namespace: 'research', limit: 0 },
  ]);
});

test('the way to the gateways and the network policies are read', () => {
  const told = {
    ...complete,
    PILOTLIGHT_GATEWAY_SERVICE: 'gateway',
    PILOTLIGHT_CLUSTER_DOMAIN: 'example.internal',
    PILOTLIGHT_NETWORK_POLICIES: 'false',
  };
  expect(readConfiguration(told, 'host')).toMatchObject({
    gatewayHost: 'gateway.pilotlight-system.svc.example.internal',
    networkPolicies: false,
  });
});

describe('what is missing or wrong is named', () => {
  test.each<[string, string | undefined, RegExp]>([
    ['PILOTLIGHT_NAMESPACE', undefined, /PILOTLIGHT_NAMESPACE is not set/],
    ['PILOTLIGHT_RUNTIME_IMAGE', undefined, /PILOTLIGHT_RUNTIME_IMAGE is not set/],
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
    ['PILOTLIGHT_RUNTIME_MODEL_CACHE_SIZE', '0', /CACHE_SIZE is "0" but must be a quantity of bytes/],
    ['PILOTLIGHT_RUNTIME_MODEL_CACHE_SIZE', 'big', /CACHE_SIZE is "big" but must be a quantity of bytes/],
    ['PILOTLIGHT_RUNTIME_SCRAPE_ANNOTATIONS', '1', /SCRAPE_ANNOTATIONS is "1" but must be true or false/],
    ['PILOTLIGHT_RUNTIME_BUDGETS', 'cpu=4', /BUDGETS has "cpu=4" but must be limits as nvidia.com\/gpu=8/],
    ['PILOTLIGHT_RUNTIME_BUDGETS', 'nvidia.com/gpu=-1', /BUDGETS has "nvidia.com\/gpu=-1" but must be limits/],
    ['PILOTLIGHT_RUNTIME_BUDGETS', 'nvidia.com/gpu=1000001', /BUDGETS has .* but must be limits/],
    ['PILOTLIGHT_RUNTIME_BUDGETS', 'A:nvidia.com/gpu=1', /BUDGETS has .* but must be limits/],
    ['PILOTLIGHT_RUNTIME_BUDGETS', 'a.b/c=1,a.b/c=2', /BUDGETS has two limits for a.b\/c of the cluster/],
    ['PILOTLIGHT_GATEWAY_SERVICE', 'a.b', /GATEWAY_SERVICE is "a.b" but must be the name of a Service/],
    ['PILOTLIGHT_GATEWAY_SERVICE', '', /GATEWAY_SERVICE is "" but must be the name of a Service/],
    ['PILOTLIGHT_CLUSTER_DOMAIN', 'cluster.local.', /CLUSTER_DOMAIN is "cluster.local." but must be a domain/],
    ['PILOTLIGHT_NETWORK_POLICIES', 'no', /NETWORK_POLICIES is "no" but must be true or false/],
  ])('%s = %s', (variable, value, message) => {
    expect(() => readConfiguration({ ...complete, [variable]: value }, 'host')).toThrow(message);
  });
});

test('the log level is info unless it is set', () => {
  expect(readLogLevel({}, 'LEVEL')).toBe('info');
  expect(readLogLevel({ LEVEL: 'debug' }, 'LEVEL')).toBe('debug');
});

describe('the control Secret', () => {
  test('is pilotlight-control, with keys of 90 days, unless it is told otherwise', () => {
    expect(readControlSecret({})).toEqual({ name: 'pilotlight-control', rotationDays: 90 });
    expect(readControlSecret({ PILOTLIGHT_CONTROL_SECRET: 'other', PILOTLIGHT_KEY_ROTATION_DAYS: '0' })).toEqual({
      name: 'other',
      rotationDays: 0,
    });
  });

  test.each(['', 'Upper', 'a_b', '-a', 'a'.repeat(254)])('is not called %j', (given) => {
    expect(() => readControlSecret({ PILOTLIGHT_CONTROL_SECRET: given })).toThrow(
      /PILOTLIGHT_CONTROL_SECRET is ".*" but must be the name of a Secret/,
    );
  });

  test.each(['', '-1', '1.5', '3651', 'never'])('has no keys of %j days', (given) => {
    expect(() => readControlSecret({ PILOTLIGHT_KEY_ROTATION_DAYS: given })).toThrow(
      /PILOTLIGHT_KEY_ROTATION_DAYS is ".*" but must be an integer from 0 to 3650/,
    );
  });
});
