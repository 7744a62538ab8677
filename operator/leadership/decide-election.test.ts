import { expect, test } from '@jest/globals';
import { LEASES, type Lease } from '../cluster/resources.ts';
import { decideElection, retryMilliseconds, type ElectionStep } from './decide-election.ts';

function lease(spec?: Lease['spec']): Lease {
  const { apiVersion, kind } = LEASES;
  return { apiVersion, kind, metadata: { name: 'pilotlight-operator' }, ...(spec && { spec }) };
}

const others = { holderIdentity: 'b', leaseDurationSeconds: 5 };
const longAgo = '2020-01-01T00:00:00.000000Z';
const farAhead = '2030-01-01T00:00:00.000000Z';

/** Seen as it is at 10 000 ms, looked at `now`. */
const CASES: Record<string, { spec?: Lease['spec']; now?: number; random?: number; want: ElectionStep | string }> = {
  'one that never was is taken': { want: 'Acquire' },
  'one that names nobody is taken': { spec: { leaseTransitions: 3 }, want: 'Acquire' },
  'a released one is taken': { spec: { holderIdentity: '', leaseDurationSeconds: 1 }, want: 'Acquire' },
  'its own is renewed': { spec: { holderIdentity: 'a' }, want: 'Renew' },
  'its own that ran out is renewed': {
    spec: { holderIdentity: 'a', leaseDurationSeconds: 5 },
    now: 99_000,
    want: 'Renew',
  },
  "another's is waited for": { spec: others, now: 10_000, want: { type: 'Wait', milliseconds: 1000 } },
  'with jitter': { spec: others, now: 10_000, random: 0.5, want: { type: 'Wait', milliseconds: 900 } },
  'but no longer than it lasts': { spec: others, now: 14_400, want: { type: 'Wait', milliseconds: 600 } },
  'to its last millisecond': { spec: others, now: 14_999, want: { type: 'Wait', milliseconds: 1 } },
  'and is taken when it ran out': { spec: others, now: 15_000, want: 'Acquire' },
  'for as long as its holder asked': {
    spec: { ...others, leaseDurationSeconds: 15 },
    now: 24_700,
    want: { type: 'Wait', milliseconds: 300 },
  },
  'but not for ever': { spec: { ...others, leaseDurationSeconds: 1e9 }, now: 70_000, want: 'Acquire' },
  'or for 5 s if its holder said nothing': {
    spec: { holderIdentity: 'b' },
    now: 14_700,
    want: { type: 'Wait', milliseconds: 300 },
  },
  "whose holder's clock is behind is not taken early": {
    spec: { ...others, renewTime: longAgo },
    now: 10_000,
    want: { type: 'Wait', milliseconds: 1000 },
  },
  "whose holder's clock is ahead is not taken late": {
    spec: { ...others, renewTime: farAhead },
    now: 15_000,
    want: 'Acquire',
  },
};

test.each(Object.entries(CASES))('a Lease: %s', (_name, { spec, now = 10_000, random = 0, want }) => {
  const step = decideElection(lease(spec), 10_000, 'a', now, random);
  expect(step).toEqual(typeof want === 'string' ? { type: want } : want);
});

test('three attempts fit before the deadline, whatever the jitter', () => {
  expect(retryMilliseconds(0)).toBe(1000);
  expect(retryMilliseconds(0.999)).toBeGreaterThan(800);
});
