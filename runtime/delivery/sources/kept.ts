import type { Clock } from '../../../common/platform/clock.ts';

interface Expiring {
  /** Milliseconds since the Unix epoch; absent for what does not expire. */
  readonly expiresAt?: number | undefined;
}

/** What `find` gives, asked for once by all who want it, and anew so many milliseconds before it expires, or after a failure. */
export function kept<Found extends Expiring>(
  find: () => Promise<Found | undefined>,
  clock: Clock,
  renewMilliseconds: number,
): () => Promise<Found | undefined> {
  let current: Promise<Found | undefined> | undefined;
  let renewAt = Infinity;
  return () => {
    if (current !== undefined && clock.now() < renewAt) return current;
    renewAt = Infinity;
    const asked = find();
    current = asked;
    asked.then(
      (found) => {
        renewAt = (found?.expiresAt ?? Infinity) - renewMilliseconds;
      },
      () => {
        current = undefined;
      },
    );
    return asked;
  };
}
