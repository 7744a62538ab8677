/** What a replica writes into the Lease. `leaseTransitions` is the epoch: it only grows, through release and expiry. */
import { LEASES, type Lease } from '../cluster/resources.ts';
import { LEASE_SECONDS } from './decide-election.ts';

export const LEASE_NAME = 'pilotlight-operator';

/** One that nobody ever held, to be created. */
export function newLease(namespace: string): Lease {
  return { apiVersion: LEASES.apiVersion, kind: LEASES.kind, metadata: { namespace, name: LEASE_NAME } };
}

/** @param now milliseconds since the epoch, here and below: for people, nobody decides by it */
export function acquiredLease(before: Lease, identity: string, now: number): Lease {
  return {
    ...before,
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_SECONDS,
      acquireTime: microTime(now),
      renewTime: microTime(now),
      leaseTransitions: epochOf(before) + 1,
    },
  };
}

/** Held by the same for longer, under an epoch of at least `epoch`. */
export function renewedLease(held: Lease, now: number, epoch = 0): Lease {
  return {
    ...held,
    spec: {
      ...held.spec,
      leaseDurationSeconds: LEASE_SECONDS,
      renewTime: microTime(now),
      leaseTransitions: Math.max(epochOf(held), epoch),
    },
  };
}

/** Nobody's. A second is the shortest duration that the API takes. */
export function releasedLease(held: Lease, now: number): Lease {
  return {
    ...held,
    spec: { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}

export function epochOf(lease: Lease): number {
  return lease.spec?.leaseTransitions ?? 0;
}

/** Kubernetes' MicroTime has exactly six digits after the second. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
