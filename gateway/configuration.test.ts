import { describe, expect, test } from '@jest/globals';
import { GATEWAY_DEFAULTS, readConfiguration, readLogLevel } from './configuration.ts';

const token = { PILOTLIGHT_CONTROL_TOKEN: 'secret' };

describe('the configuration', () => {
  test('has a default for everything but the token', () => {
    expect(readConfiguration(token, 'pod-0')).toEqual({ ...GATEWAY_DEFAULTS, name: 'pod-0', controlToken: 'secret' });
  });

  test('takes what the environment says', () => {
    const configuration = readConfiguration(
      {
        ...token,
        PILOTLIGHT_HTTP_PORT: '0',
        PILOTLIGHT_DOMAIN: 'Models.Example.com',
        PILOTLIGHT_DRAIN_SECONDS: '1',
        PILOTLIGHT_GATEWAY_NAME: 'g',
      },
      'pod-0',
    );
    expect(configuration).toMatchObject({
      name: 'g',
      ports: { http: 0, external: 8081 },
      domains: { domain: 'models.example.com' },
      drainMilliseconds: 1_000,
    });
  });

  test.each([
    [{}, 'PILOTLIGHT_CONTROL_TOKEN is not set'],
    [
      { ...token, PILOTLIGHT_HTTP_PORT: '70000' },
      'PILOTLIGHT_HTTP_PORT is "70000" but must be an integer from 0 to 65535.',
    ],
    [{ ...token, PILOTLIGHT_MAX_BODY_BYTES: '64Mi' }, 'PILOTLIGHT_MAX_BODY_BYTES is "64Mi"'],
  ])('names what is wrong', (environment, message) => {
    expect(() => readConfiguration(environment, 'pod-0')).toThrow(message);
  });
});

test('the log level is one of those there are', () => {
  expect(readLogLevel({})).toBe('info');
  expect(() => readLogLevel({ PILOTLIGHT_LOG_LEVEL: 'loud' })).toThrow('must be one of trace, debug');
});
