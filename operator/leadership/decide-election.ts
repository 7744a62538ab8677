/**
 * Decides what a replica does about the Lease: take it, renew it, or wait. A holder's own times are never compared with this replica's clock, which may
 * be minutes off: a Lease has run out when nobody wrote it for its duration, as measured here.
 *
 * | the Lease                               | step                                        |
 * | --------------------------------------- | ------------------------------------------- |
 * | was never there, or names nobody        | Acquire                                     |
 * | names this replica                      | Renew                                       |
 * | names another, unchanged for its time   | Acquire                                     |
 * | names another, changed since            | Wait, at most until its time would be over  |
 */
import type { Lease } from '../cluster/resources.ts';

/** How long others leave the Lease to a holder that they do not hear of. */
export const LEASE_SECONDS = 5;
/** A leader that could not renew for so long stops: two seconds before another may begin. */
export const RENEW_DEADLINE_MILLISECONDS = 3000;
/** Between two looks at the Lease, at most. */
export const RETRY_MILLISECONDS = 1000;

/** Whoever edits the Lease by hand must not keep replicas from leading for longer than this. */
const LONGEST_LEASE_SECONDS = 60;
/** Replicas that began together do not write together for ever. */
const JITTER = 0.2;

export type ElectionStep =
  | { readonly type: 'Acquire' | 'Renew' }
  /** Look again after so many milliseconds. */
  | { readonly type: 'Wait'; readonly milliseconds: number };

/**
 * @param lease as it was read last; undefined if there never was one
 * @param observedAt monotonic milliseconds at which this process first saw the Lease as it is
 * @param now monotonic milliseconds
 * @param random in [0, 1)
 */
export function decideElection(
  lease: Lease | undefined,
  observedAt: number,
  identity: string,
  now: number,
  random: number,
): ElectionStep {
  const { holderIdentity = '', leaseDurationSeconds = LEASE_SECONDS } = lease?.spec ?? {};
  if (holderIdentity === '') return { type: 'Acquire' };
  if (holderIdentity === identity) return { type: 'Renew' };
  const remaining = observedAt + Math.min(leaseDurationSeconds, LONGEST_LEASE_SECONDS) * 1000 - now;
  if (remaining <= 0) return { type: 'Acquire' };
  return { type: 'Wait', milliseconds: Math.min(remaining, retryMilliseconds(random)) };
}

/** Shorter than the retry by up to a fifth, so that a leader has three attempts before its deadline. */
export function retryMilliseconds(random: number): number {
  return RETRY_MILLISECONDS * (1 - JITTER * random);
}
