/**
 * Who leads, and under which epoch. For a single replica: it takes the Lease whoever holds it, by compare-and-swap, so that its epoch is above all before
 * it. It does not renew, and so does not notice that another replica took over.
 */
import type { Clock } from '../common/platform/clock.ts';
import { isClusterError, type Cluster } from './cluster/port.ts';
import { LEASES, type Lease } from './cluster/resources.ts';

export interface Leadership {
  /** Makes an epoch of at least `atLeast`, higher than any before, this replica's own. */
  claimEpoch(atLeast: number): Promise<number>;
}

export interface LeaseOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly namespace: string;
  readonly identity: string;
}

const LEASE_NAME = 'pilotlight-operator';
/** A conflict means that somebody else claimed in between. */
const MAX_ATTEMPTS = 5;

/** The epoch is `spec.leaseTransitions`, which only grows. */
export function leaseLeadership(options: LeaseOptions): Leadership {
  return {
    claimEpoch: async (atLeast) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await claim(options, atLeast);
        } catch (error) {
          if (attempt === MAX_ATTEMPTS || !isClusterError(error, 'Conflict', 'AlreadyExists')) throw error;
        }
      }
    },
  };
}

async function claim({ cluster, clock, namespace, identity }: LeaseOptions, atLeast: number): Promise<number> {
  const current = await cluster.get(LEASES, { namespace, name: LEASE_NAME });
  const epoch = Math.max(atLeast, (current?.spec?.leaseTransitions ?? 0) + 1);
  const now = microTime(clock.now());
  const lease: Lease = {
    apiVersion: LEASES.apiVersion,
    kind: LEASES.kind,
    metadata: current?.metadata ?? { namespace, name: LEASE_NAME },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: 5,
      acquireTime: now,
      renewTime: now,
      leaseTransitions: epoch,
    },
  };
  await (current === undefined ? cluster.create(LEASES, lease) : cluster.update(LEASES, lease));
  return epoch;
}

/** Kubernetes' MicroTime has exactly six digits after the second. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z');
}
