import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FieldError } from '../../common/wire/fields.ts';
import { parseGatewayMessage } from './parse-gateway-message.ts';

const REVISION = {
  namespace: 'models',
  revision: 'digits-00001',
  requestSeconds: 1.5,
  requests: 2,
  inFlight: 1,
  queued: 0,
};
const HELLO = { type: 'hello', gateway: 'gateway-0', bootId: 'boot', highestEpoch: 3 };
const DEMAND = {
  type: 'demand',
  bootId: 'boot',
  sequence: 1,
  uptimeSeconds: 10.25,
  full: true,
  revisions: [REVISION],
  announcements: [
    {
      namespace: 'models',
      revision: 'digits-00001',
      pod: 'digits-00001-0',
      uid: 'uid-1',
      host: '10.0.0.7',
      ports: { http: 8080, control: 9091 },
    },
  ],
};

test.each([HELLO, DEMAND, { ...DEMAND, keys: ['k2', 'k1'] }])('takes a $type', (message) => {
  expect(parseGatewayMessage({ ...message, unknown: 'dropped' })).toEqual(message);
});

test.each<{ message: unknown; says: string }>([
  { message: null, says: 'message must be an object' },
  { message: { type: 'routes' }, says: 'type must be one of hello, demand' },
  { message: { ...HELLO, highestEpoch: Number.MAX_SAFE_INTEGER }, says: 'highestEpoch must be' },
  { message: { ...HELLO, bootId: 'x'.repeat(129) }, says: 'bootId must be' },
  { message: { ...DEMAND, uptimeSeconds: 1e300 }, says: 'uptimeSeconds must be at most' },
  {
    message: { ...DEMAND, revisions: [REVISION, { ...REVISION, requestSeconds: -1 }] },
    says: 'revisions[1].requestSeconds must be',
  },
  { message: { ...DEMAND, revisions: [{ ...REVISION, inFlight: 0.5 }] }, says: 'revisions[0].inFlight must be' },
  { message: { ...DEMAND, revisions: [{ ...REVISION, namespace: 'a/b' }] }, says: 'revisions[0].namespace must be' },
  {
    message: { ...DEMAND, revisions: new Array(50_001).fill(REVISION) },
    says: 'revisions must be a list of at most 50000',
  },
  { message: { ...DEMAND, announcements: [{}] }, says: 'namespace must be' },
  { message: { ...DEMAND, keys: ['a.b'] }, says: 'keys[0] must be' },
  { message: { ...DEMAND, keys: new Array(1_001).fill('k1') }, says: 'keys must be a list of at most 1000' },
])('refuses with "$says"', ({ message, says }) => {
  expect(() => parseGatewayMessage(message)).toThrow(says);
});

test('throws a FieldError or gives a message, whatever it is given', () => {
  const shaped = fc.record({
    ...Object.fromEntries(Object.keys(DEMAND).map((key) => [key, fc.jsonValue()])),
    type: fc.constant('demand'),
  });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), shaped), (value) => {
      try {
        expect(parseGatewayMessage(value).type).toMatch(/^(hello|demand)$/);
      } catch (error) {
        expect(error).toBeInstanceOf(FieldError);
      }
    }),
  );
});
