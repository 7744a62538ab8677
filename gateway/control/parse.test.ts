import fc from 'fast-check';
import { describe, expect, test } from '@jest/globals';
import { functionRoute, revisionRoute } from '../testing/gateway-fixture.ts';
import { parseClaimantMessage, parseOwnerMessage } from '../claims/claim-messages.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { connectPod } from '../proxy/pod-connections.ts';
import { FieldError } from '../../common/wire/fields.ts';
import { parseAnnouncement } from '../../common/wire/parse-announcement.ts';
import { parseOperatorMessage } from './parse-operator-message.ts';

const announcement = {
  namespace: 'default',
  revision: 'digits-00001',
  pod: 'digits-00001-0',
  uid: '6c2bd0b4-0000-4000-8000-000000000000',
  host: '10.0.0.7',
  ports: { http: 8080, grpc: 8081, control: 9091 },
  executionProviders: ['CPU'],
  model: {
    sha256: 'a'.repeat(64),
    sizeBytes: 1,
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 64] }],
    outputs: [],
    batching: { enabled: false, reason: 'why' },
  },
  phases: { fetch: 12.5 },
};

const pod = {
  name: 'p',
  uid: 'u',
  state: 'Ready',
  spare: true,
  host: 'fd00::7',
  ports: { http: 1, control: 2 },
} as const;
const routes = {
  type: 'routes',
  epoch: 1,
  sequence: 1,
  full: true,
  functions: [
    functionRoute({
      traffic: [{ revision: 'digits-00001', percent: 100, tag: 'stable' }],
      revisions: [revisionRoute([pod], { startSeconds: 12.5, failure: { reason: 'r', message: 'line\nline' } })],
    }),
  ],
  removed: [{ namespace: 'a', name: 'b' }],
  gateways: { self: 'g0', all: [{ id: 'g0', host: '10.0.0.8', controlPort: 9091 }] },
};
const claim = { type: 'claim', id: 1, namespace: 'default', revision: 'digits-00001', waited: 1.5, again: false };
const grant = { type: 'grant', id: 1, pod: { uid: 'u', name: 'p', host: '10.0.0.7', ports: { http: 1, control: 2 } } };

/** The value with one of its parts, at any depth, replaced by something else. */
function spoiled(value: unknown): fc.Arbitrary<unknown> {
  if (typeof value !== 'object' || value === null) return fc.anything();
  const entries = Object.entries(value);
  if (entries.length === 0) return fc.anything();
  return fc.constantFrom(...entries).chain(([key, part]) =>
    fc.oneof(fc.anything(), spoiled(part)).map((replaced) => {
      if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? replaced : item));
      return { ...value, [key]: replaced };
    }),
  );
}

describe.each([
  ['an announcement', announcement, parseAnnouncement],
  ['routes', routes, parseOperatorMessage],
  ['the release of a slot', { type: 'release', id: 1, outcome: 503 }, parseClaimantMessage],
  ['a claim', claim, parseClaimantMessage],
  ['the release of a claim', { type: 'release', id: 1, outcome: 'LimitReached' }, parseClaimantMessage],
  ['a grant', grant, parseOwnerMessage],
  ['keys', { type: 'keys', keys: [{ id: 'k', secret: 'x'.repeat(43) }] }, parseOperatorMessage],
  ['a hello', { type: 'hello', operator: 'o' }, parseOperatorMessage],
] as const)('%s', (_, value, parse) => {
  test('is read as it is', () => {
    expect(parse(value)).toEqual(value);
  });

  test('has no field beyond those that are known', () => {
    expect(parse({ ...value, more: 1 })).toEqual(value);
  });

  test('is read or refused with the name of the field, whatever is wrong with it', () => {
    fc.assert(
      fc.property(spoiled(value), (wrong) => {
        try {
          parse(wrong);
        } catch (error) {
          expect(error).toBeInstanceOf(FieldError);
        }
      }),
    );
  });
});

test.each(['10.0.0.7', 'fd00::7', '::ffff:10.0.0.7', 'Pod-0.pods.default.svc', 'xn--bcher-kva.example'])(
  'a host may be %s',
  (host) => {
    expect(parseAnnouncement({ ...announcement, host }).host).toBe(host);
  },
);

test.each([
  [{ ...announcement, host: 'user@host' }, 'host must be'],
  [{ ...announcement, host: 'host:80/path' }, 'host must be'],
  [{ ...announcement, host: '1.2.3.999' }, 'host must be an IP address or a DNS name.'],
  [{ ...announcement, host: 'a:80' }, 'host must be an IP address or a DNS name.'],
  [{ ...announcement, host: '2130706433' }, 'host must be an IP address or a DNS name.'],
  [{ ...announcement, host: '0x7f.1' }, 'host must be an IP address or a DNS name.'],
  [{ ...announcement, ports: { http: 0, control: 1 } }, 'ports.http must be an integer from 1 to 65535.'],
  [{ ...announcement, phases: { 'a b': 1 } }, 'phases key must be'],
  [{ ...announcement, phases: { fetch: -1 } }, 'phases.fetch must be'],
  [{ ...announcement, model: { ...announcement.model, sha256: 'x' } }, 'model.sha256 must be'],
])('a wrong announcement is refused by name', (wrong, message) => {
  expect(() => parseAnnouncement(wrong)).toThrow(message);
});

test('a connection can be made to every host that is read', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-fx:.-]{1,12}$/), (host) => {
      try {
        connectPod(parseAnnouncement({ ...announcement, host }), new ManualClock(), fail).close();
      } catch (error) {
        expect(error).toBeInstanceOf(FieldError);
      }
    }),
    { numRuns: 2_000 },
  );
});

function fail(error: unknown): never {
  throw error;
}
