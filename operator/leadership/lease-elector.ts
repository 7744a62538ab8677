/**
 * Contends for the Lease for as long as the process lives, by compare-and-swap on its resourceVersion. It says when this replica begins and ceases to
 * lead; what a leader does is the listener's.
 *
 * A leader's time runs from before the renewal was sent, another's patience from after it was read: so the one stops, 3 s after its last renewal,
 * before the other begins, 5 s after it saw that renewal, whatever their clocks say and however long the API server took.
 */
import { wait, type Cancel, type Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { Cluster } from '../cluster/port.ts';
import { LEASES, type Lease } from '../cluster/resources.ts';
import { decideElection, RENEW_DEADLINE_MILLISECONDS, retryMilliseconds } from './decide-election.ts';
import type { LeaderMetrics } from './leader-metrics.ts';
import { acquiredLease, epochOf, LEASE_NAME, newLease, releasedLease, renewedLease } from './lease-record.ts';
import { within } from './within.ts';

export interface LeaseElectorOptions {
  readonly cluster: Pick<Cluster, 'get' | 'create' | 'update'>;
  readonly clock: Clock;
  /** In [0, 1); spreads attempts. */
  readonly random: () => number;
  readonly namespace: string;
  /** Unique among all processes that ever contend: one that starts again must not take its predecessor's Lease for its own. */
  readonly identity: string;
  readonly metrics: LeaderMetrics;
  readonly logger: Logger;
  /** Called synchronously, by turns with the next. */
  readonly onStartedLeading: () => void;
  readonly onStoppedLeading: () => void;
}

/** One call that hangs must leave time for another before a leader's deadline. */
const CALL_MILLISECONDS = 1200;

export class LeaseElector {
  readonly #options: LeaseElectorOptions;
  readonly #ending = new AbortController();
  /** As it was read or written last; without a resourceVersion while there is none. */
  #lease: Lease;
  /** Monotonic milliseconds at which this process first saw it so. */
  #observedAt = 0;
  /** Somebody else may have written it since. */
  #stale = true;
  #leading = false;
  /** Monotonic milliseconds at which this replica ceases to lead unless it renews. */
  #leadsUntil = 0;
  #cancelDeadline: Cancel = () => undefined;
  /** Attempts and claims write one after another, or they would conflict with each other. */
  #turn: Promise<unknown> = Promise.resolve();
  #contending: Promise<void> | undefined;

  constructor(options: LeaseElectorOptions) {
    this.#options = options;
    this.#lease = newLease(options.namespace);
  }

  /** Contends from now on. */
  start(): void {
    this.#contending ??= this.#contend();
  }

  /** True while this replica may act. A process whose timers are late knows by this, too, that its time is over. */
  get leads(): boolean {
    return this.#leading && this.#options.clock.monotonic() < this.#leadsUntil;
  }

  /**
   * Makes an epoch of at least `atLeast`, higher than any before, this leader's own. Rejects when this replica does not lead, or the API server
   * refuses.
   */
  claimEpoch(atLeast: number): Promise<number> {
    return this.#inTurn(async () => {
      if (this.#stale) await this.#read();
      this.#assertLeads();
      const epoch = Math.max(epochOf(this.#lease) + 1, atLeast);
      await this.#write(renewedLease(this.#lease, this.#options.clock.now(), epoch));
      this.#assertLeads();
      return epoch;
    });
  }

  /** Ceases to lead and gives the Lease up, so that a successor need not wait until it runs out. */
  async close(): Promise<void> {
    this.#ending.abort();
    if (this.#contending === undefined) return;
    this.#stopLeading('This replica ends');
    await this.#contending;
    await this.#inTurn(() => this.#release());
  }

  async #contend(): Promise<void> {
    const { clock, random, logger } = this.#options;
    const { signal } = this.#ending;
    let failures = 0;
    while (!signal.aborted) {
      // Counted from its beginning: a leader's attempt that hung is followed by the next at once.
      const retryAt = clock.monotonic() + retryMilliseconds(random());
      let nextAt = retryAt;
      try {
        nextAt = (await this.#inTurn(() => this.#attempt())) ?? retryAt;
        failures = 0;
      } catch (error) {
        // Said once an outage, not at each attempt.
        logger[failures === 0 ? 'warn' : 'debug']({ err: error }, 'Could not read or write the Lease, trying again');
        failures++;
      }
      await wait(clock, Math.max(0, nextAt - clock.monotonic()), signal);
    }
  }

  /** Gives when to try again, in monotonic milliseconds; undefined for the usual time. */
  async #attempt(): Promise<number | undefined> {
    const { clock, random, identity } = this.#options;
    if (this.#stale || !this.#leading) await this.#read();
    if (this.#ending.signal.aborted) return undefined;
    const now = clock.monotonic();
    const step = decideElection(this.#lease, this.#observedAt, identity, now, random());
    if (step.type === 'Wait') return now + step.milliseconds;
    await this.#write(
      step.type === 'Renew'
        ? renewedLease(this.#lease, clock.now())
        : acquiredLease(this.#lease, identity, clock.now()),
    );
    this.#startLeading();
    return undefined;
  }

  async #read(): Promise<void> {
    const { cluster, namespace } = this.#options;
    const lease = await this.#inTime(cluster.get(LEASES, { namespace, name: LEASE_NAME }));
    // One that was deleted is still its holder's until it would have run out: the holder learns of it only when it renews.
    if (lease === undefined) this.#lease = { ...this.#lease, metadata: newLease(namespace).metadata };
    else this.#observe(lease);
    this.#stale = false;
  }

  async #write(lease: Lease): Promise<void> {
    const { cluster, clock } = this.#options;
    const began = clock.monotonic();
    // Without an answer nobody knows what is there.
    this.#stale = true;
    const write = lease.metadata.resourceVersion === undefined ? 'create' : 'update';
    this.#observe(await this.#inTime(cluster[write](LEASES, lease)));
    this.#stale = false;
    this.#leadsUntil = began + RENEW_DEADLINE_MILLISECONDS;
    if (this.#leading) this.#setDeadline();
  }

  #observe(lease: Lease): void {
    if (lease.metadata.resourceVersion !== this.#lease.metadata.resourceVersion) {
      this.#observedAt = this.#options.clock.monotonic();
    }
    this.#lease = lease;
    if (!this.#isHeld()) this.#stopLeading('Another replica holds the Lease');
  }

  /** Does nothing if this replica leads already, ends, or was answered too late. */
  #startLeading(): void {
    const { clock, identity, metrics, logger, onStartedLeading } = this.#options;
    if (this.#leading || this.#ending.signal.aborted || this.#leadsUntil <= clock.monotonic()) return;
    this.#leading = true;
    this.#setDeadline();
    metrics.began();
    logger.info({ identity, epoch: epochOf(this.#lease) }, 'Began to lead');
    onStartedLeading();
  }

  #stopLeading(reason: string): void {
    if (!this.#leading) return;
    const { identity, metrics, logger, onStoppedLeading } = this.#options;
    this.#leading = false;
    this.#cancelDeadline();
    metrics.ended();
    logger.info({ identity, reason }, 'Ceased to lead');
    onStoppedLeading();
  }

  #setDeadline(): void {
    const { clock } = this.#options;
    this.#cancelDeadline();
    this.#cancelDeadline = clock.after(this.#leadsUntil - clock.monotonic(), () => {
      this.#stopLeading('The Lease could not be renewed in time');
    });
  }

  async #release(): Promise<void> {
    const { clock, logger } = this.#options;
    try {
      if (this.#stale) await this.#read();
      if (this.#isHeld() && this.#lease.metadata.resourceVersion !== undefined) {
        await this.#write(releasedLease(this.#lease, clock.now()));
      }
    } catch (error) {
      logger.warn({ err: error }, 'Could not release the Lease; it runs out by itself');
    }
  }

  #isHeld(): boolean {
    return this.#lease.spec?.holderIdentity === this.#options.identity;
  }

  #assertLeads(): void {
    if (!this.leads) throw new Error(`Replica ${this.#options.identity} does not lead; it cannot claim an epoch`);
  }

  #inTime<T>(call: Promise<T>): Promise<T> {
    return within(this.#options.clock, CALL_MILLISECONDS, call);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
