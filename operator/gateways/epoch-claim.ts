import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';

/** What a claim stands on, and whom it tells. */
export interface EpochClaimOptions {
  readonly clock: Clock;
  readonly claimEpoch: (atLeast: number) => Promise<number>;
  readonly logger: Logger;
  readonly onClaimed: (epoch: number) => void;
}

const RETRY_MILLISECONDS = 1_000;

/**
 * The epoch under which a leader's routes count: above every one that a gateway reports, or they would be ignored. After a restored etcd or a
 * deleted Lease the stored epoch is too low; what gateways remember puts it right. While a higher one is being claimed there is none.
 */
export class EpochClaim {
  readonly #options: EpochClaimOptions;
  #leading = false;
  #highestReported = 0;
  #claimed: number | undefined;
  /** Counts begin and end, so that the answer to a claim of an earlier term is not taken. */
  #term = 0;
  #claiming = false;
  #cancelRetry: Cancel = () => undefined;

  constructor(options: EpochClaimOptions) {
    this.#options = options;
  }

  /** Undefined while this replica does not lead or has to claim a higher one. */
  get current(): number | undefined {
    return this.#claimed;
  }

  begin(): void {
    if (this.#leading) return;
    this.#leading = true;
    this.#term += 1;
    this.#claim();
  }

  end(): void {
    this.#leading = false;
    this.#term += 1;
    this.#claimed = undefined;
    this.#claiming = false;
    this.#cancelRetry();
  }

  /** A gateway took routes of this epoch once. */
  reported(epoch: number): void {
    this.#highestReported = Math.max(this.#highestReported, epoch);
    if (this.#claimed === undefined || this.#highestReported <= this.#claimed) return;
    this.#claimed = undefined;
    this.#claim();
  }

  #claim(): void {
    if (!this.#leading || this.#claiming) return;
    this.#claiming = true;
    const term = this.#term;
    this.#options.claimEpoch(this.#highestReported + 1).then(
      (epoch) => {
        if (term === this.#term) this.#take(epoch);
      },
      (error: unknown) => {
        if (term !== this.#term) return;
        this.#options.logger.warn({ err: error }, 'Could not claim an epoch for routes, trying again');
        this.#cancelRetry = this.#options.clock.after(RETRY_MILLISECONDS, () => {
          this.#claiming = false;
          this.#claim();
        });
      },
    );
  }

  #take(epoch: number): void {
    this.#claiming = false;
    // A gateway may have reported a higher one while this one was claimed.
    if (epoch <= this.#highestReported) return this.#claim();
    this.#claimed = epoch;
    this.#options.onClaimed(epoch);
  }
}
