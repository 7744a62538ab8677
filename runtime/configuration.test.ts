import { describe, expect, test } from '@jest/globals';
import { parseConfiguration } from './configuration.ts';
import { StartError } from './inference.ts';

const specification = {
  namespace: 'default',
  function: 'digits',
  revision: 'digits-00001',
  model: { uri: 'file:model.onnx' },
  executionProviders: ['CPU'],
  instances: 1,
  intraOpThreads: 2,
  batching: { maxBatchSize: 8, maxDelayMilliseconds: 0 },
  timeoutSeconds: 60,
};
const environment = {
  PILOTLIGHT_RUNTIME: JSON.stringify(specification),
  PILOTLIGHT_MODEL_DIRECTORY: '/models',
  PILOTLIGHT_POD_NAME: 'digits-00001-0',
  PILOTLIGHT_POD_UID: 'uid-1',
  PILOTLIGHT_POD_HOST: '10.0.0.7',
  PILOTLIGHT_GATEWAYS: 'gateway:9091',
  PILOTLIGHT_ANNOUNCE_TOKEN: 'a',
  PILOTLIGHT_DRAIN_TOKEN: 'd',
};

test('a pod’s environment', () => {
  const withMore = { ...environment, PILOTLIGHT_RUNTIME: JSON.stringify({ ...specification, later: true }) };
  expect(parseConfiguration(withMore)).toEqual({
    specification,
    pod: {
      name: 'digits-00001-0',
      uid: 'uid-1',
      host: '10.0.0.7',
      gateways: [{ host: 'gateway', port: 9091 }],
      announceToken: 'a',
      drainToken: 'd',
    },
    ports: { http: 8080, grpc: 8081, control: 9091, metrics: 9090 },
    maxBodyBytes: 67_108_864,
    modelDirectory: '/models',
    logLevel: 'info',
  });
});

test('no pod, and everything that can be set', () => {
  const { PILOTLIGHT_RUNTIME, PILOTLIGHT_MODEL_DIRECTORY } = environment;
  expect(
    parseConfiguration({
      PILOTLIGHT_RUNTIME,
      PILOTLIGHT_MODEL_DIRECTORY,
      PILOTLIGHT_HTTP_PORT: '0',
      PILOTLIGHT_CONTROL_PORT: '1',
      PILOTLIGHT_METRICS_PORT: '2',
      PILOTLIGHT_GRPC_PORT: '3',
      PILOTLIGHT_MAX_BODY_BYTES: '1000',
      PILOTLIGHT_LOG_LEVEL: 'warn',
    }),
  ).toEqual({
    specification,
    ports: { http: 0, grpc: 3, control: 1, metrics: 2 },
    maxBodyBytes: 1000,
    modelDirectory: '/models',
    logLevel: 'warn',
  });
});

test.each<[variable: string, value: string | undefined, says: string]>([
  ['PILOTLIGHT_RUNTIME', undefined, 'Environment variable PILOTLIGHT_RUNTIME must be set.'],
  ['PILOTLIGHT_RUNTIME', '{', 'PILOTLIGHT_RUNTIME must be JSON but is "{".'],
  ['PILOTLIGHT_RUNTIME', '3', 'PILOTLIGHT_RUNTIME: the specification must be an object.'],
  ['PILOTLIGHT_RUNTIME', JSON.stringify({ ...specification, model: null }), 'model must be an object.'],
  ['PILOTLIGHT_RUNTIME', JSON.stringify({ ...specification, model: { uri: 1 } }), 'model.uri must be a text.'],
  [
    'PILOTLIGHT_RUNTIME',
    JSON.stringify({ ...specification, instances: 0 }),
    'instances must be a whole number from 1 to 64.',
  ],
  [
    'PILOTLIGHT_RUNTIME',
    JSON.stringify({ ...specification, instances: 1.5 }),
    'instances must be a whole number from 1 to 64.',
  ],
  [
    'PILOTLIGHT_RUNTIME',
    JSON.stringify({ ...specification, instances: 1e9 }),
    'instances must be a whole number from 1 to 64.',
  ],
  [
    'PILOTLIGHT_RUNTIME',
    JSON.stringify({ ...specification, instances: undefined }),
    'instances must be a whole number from 1 to 64.',
  ],
  [
    'PILOTLIGHT_RUNTIME',
    JSON.stringify({ ...specification, executionProviders: [] }),
    'executionProviders must be a list',
  ],
  ['PILOTLIGHT_MODEL_DIRECTORY', '', 'PILOTLIGHT_MODEL_DIRECTORY must be set.'],
  ['PILOTLIGHT_POD_HOST', undefined, 'PILOTLIGHT_POD_HOST must be set.'],
  ['PILOTLIGHT_DRAIN_TOKEN', undefined, 'PILOTLIGHT_DRAIN_TOKEN must be set.'],
  ['PILOTLIGHT_GATEWAYS', 'x', 'PILOTLIGHT_GATEWAYS must be host:port entries separated by commas but is "x".'],
  ['PILOTLIGHT_HTTP_PORT', '65536', 'PILOTLIGHT_HTTP_PORT must be a number up to 65535 but is "65536".'],
  ['PILOTLIGHT_LOG_LEVEL', 'loud', 'PILOTLIGHT_LOG_LEVEL must be one of trace, '],
])('%s of %j is refused by its name', (variable, value, says) => {
  // prettier-ignore
  expect(() => parseConfiguration({ ...environment, [variable]: value })).toThrow(StartError);
  expect(() => parseConfiguration({ ...environment, [variable]: value })).toThrow(says);
});

describe('session options', () => {
  const parse = (session: unknown, batching: object = {}): unknown =>
    parseConfiguration({
      ...environment,
      PILOTLIGHT_RUNTIME: JSON.stringify({
        ...specification,
        session,
        batching: { ...specification.batching, ...batching },
      }),
    }).specification.session;

  test('are taken as they are', () => {
    const session = {
      graphOptimizationLevel: 'Basic',
      interOpThreads: 2,
      memoryArena: 'Disabled',
      prepacking: 'Disabled',
      spinning: 'Enabled',
      deviceId: 1,
    };
    expect(parse(session)).toEqual(session);
    expect(parse({})).toEqual({});
  });

  test.each<[object, string]>([
    [
      { graphOptimisationLevel: 'All' },
      'There is no session option "graphOptimisationLevel"; did you mean "graphOptimizationLevel"?',
    ],
    [
      { use_ort_model_bytes_directly: '1' },
      'There is no session option "use_ort_model_bytes_directly"; there are graphOptimizationLevel, interOpThreads,',
    ],
    [
      { graphOptimizationLevel: 'all' },
      'session.graphOptimizationLevel must be one of Disabled, Basic, Extended, Layout, All; did you mean "All"?',
    ],
    [{ prepacking: true }, 'session.prepacking must be one of Enabled, Disabled.'],
    [{ interOpThreads: 0 }, 'session.interOpThreads must be a whole number from 1 to 64.'],
    [{ deviceId: 1.5 }, 'session.deviceId must be a whole number from 0 to 63.'],
  ])('%j are refused with the way out', (session, message) => {
    expect(() => parse(session)).toThrow(message);
    expect(() => parse(session)).toThrow(StartError);
  });

  test('and a mode of batching that there is not', () => {
    expect(() => parse({}, { mode: 'auto' })).toThrow(
      'batching.mode must be one of Auto, On, Off; did you mean "Auto"?',
    );
  });
});
