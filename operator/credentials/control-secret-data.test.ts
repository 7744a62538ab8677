import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Secret } from '../cluster/resources.ts';
import type { SigningKeys } from './control-credentials.ts';
import { controlSecret, parseControlSecret } from './control-secret-data.ts';

const TOKEN = 'token-'.repeat(8);
const SECRET = 'hushhush'.repeat(5);
const KEYS = JSON.stringify([{ id: 'k1', secret: SECRET }]);

function secret(data: Readonly<Record<string, string>>): Secret {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'system', name: 'control' },
    data: Object.fromEntries(encoded) as Record<string, string>,
  };
}

function list(...keys: readonly unknown[]): string {
  return JSON.stringify(keys);
}

const key = (id: number): object => ({ id: `k${id}`, secret: SECRET });

describe('a Secret is refused whose', () => {
  test.each<[string, Record<string, string>, string]>([
    ['token is missing', { 'signing-keys': KEYS }, 'Secret system/control has no token'],
    ['token is empty', { token: '', 'signing-keys': KEYS }, 'Secret system/control has no token'],
    ['token is short', { token: 'hush', 'signing-keys': KEYS }, 'token of Secret system/control must be 32 to 256'],
    ['token ends with a line feed', { token: `${TOKEN}\n`, 'signing-keys': KEYS }, 'token of Secret system/control'],
    ['token has other letters', { token: `${TOKEN}ä`, 'signing-keys': KEYS }, 'token of Secret system/control'],
    ['keys are missing', { token: TOKEN }, 'Secret system/control has no signing-keys'],
    ['keys are no JSON', { token: TOKEN, 'signing-keys': SECRET }, 'must be a JSON list of 1 to 16'],
    ['keys are no list', { token: TOKEN, 'signing-keys': `{"id":"k","secret":"${SECRET}"}` }, 'a JSON list'],
    ['keys are none', { token: TOKEN, 'signing-keys': '[]' }, 'a JSON list of 1 to 16'],
    [
      'keys are too many',
      { token: TOKEN, 'signing-keys': list(...Array.from({ length: 17 }, (_, at) => key(at))) },
      '',
    ],
    ['keys have one id', { token: TOKEN, 'signing-keys': list(key(1), key(1)) }, 'each id another one'],
    ['key is no object', { token: TOKEN, 'signing-keys': list(key(1), 7) }, 'a JSON list'],
    ['key is null', { token: TOKEN, 'signing-keys': list(null) }, 'a JSON list'],
    ['id has a dot', { token: TOKEN, 'signing-keys': list({ id: 'a.b', secret: SECRET }) }, 'a JSON list'],
    ['secret is short', { token: TOKEN, 'signing-keys': list({ id: 'a', secret: 'hush' }) }, 'each secret 32 to 256'],
    ['secret is missing', { token: TOKEN, 'signing-keys': list({ id: 'a' }) }, 'a JSON list'],
    ['time is none', { token: TOKEN, 'signing-keys': list({ ...key(1), createdAt: 'soon' }) }, 'a JSON list'],
  ])('%s, and the message holds no secret', (_name, data, message) => {
    const parse = (): unknown => parseControlSecret(secret(data));
    expect(parse).toThrow(message);
    expect(parse).toThrow(/system\/control/);
    expect(parse).not.toThrow(/hush|token-token/);
  });

  test('data is missing altogether', () => {
    const { apiVersion, kind, metadata } = secret({});
    expect(() => parseControlSecret({ apiVersion, kind, metadata })).toThrow('Secret system/control has no token');
  });
});

test('what a person wrote is read, with fields that are not ours left out', () => {
  const keys = list({ ...key(2), note: 'x' }, { ...key(1), createdAt: '2026-01-01T00:00:00Z' });
  expect(parseControlSecret(secret({ token: TOKEN, 'signing-keys': keys }))).toEqual({
    token: TOKEN,
    signingKeys: [
      { id: 'k2', secret: SECRET },
      { id: 'k1', secret: SECRET, createdAt: '2026-01-01T00:00:00Z' },
    ],
  });
});

test('what is written is read back', () => {
  const word = (least: number, most: number): fc.Arbitrary<string> =>
    fc.stringMatching(new RegExp(`^[A-Za-z0-9_-]{${least},${most}}$`));
  const keys = fc.uniqueArray(fc.record({ id: word(1, 64), secret: word(32, 64) }), {
    minLength: 1,
    maxLength: 16,
    selector: ({ id }) => id,
  });
  fc.assert(
    fc.property(word(32, 64), keys, (token, all) => {
      const signingKeys = all as unknown as SigningKeys;
      const written = controlSecret('system', 'control', { token, signingKeys });
      expect(parseControlSecret(written)).toEqual({ token, signingKeys });
    }),
    { numRuns: 50 },
  );
});
