/** Takes routes from whichever operator leads, and knows for how long it has been leading without a gap. */
import type { GatewaysRoute, RoutesUpdate } from '../../common/wire/routes.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { judgeRoutes, type RoutesSource, type RoutesVerdict } from '../routing/routes-order.ts';

export class RoutesIntake {
  readonly #clock: Clock;
  readonly #routes: RouteTable;
  readonly #sequences = new Map<number, number>();
  readonly #onGateways: (gateways: GatewaysRoute) => void;
  readonly #onHigherEpoch: (epoch: number, stream: number) => void;
  #source: RoutesSource = { epoch: 0, stream: undefined };
  #leaderSince: number | undefined;
  /** When the last stream that led ended. */
  #lostAt: number | undefined;

  /**
   * `onGateways` is called when an update names the gateways. `onHigherEpoch` is called when a stream brings an epoch above all before, so that others learn
   * that they lead no more.
   */
  constructor(
    clock: Clock,
    routes: RouteTable,
    onGateways: (gateways: GatewaysRoute) => void,
    onHigherEpoch: (epoch: number, stream: number) => void,
  ) {
    this.#clock = clock;
    this.#routes = routes;
    this.#onGateways = onGateways;
    this.#onHigherEpoch = onHigherEpoch;
  }

  /** 0 before any routes. */
  get epoch(): number {
    return this.#source.epoch;
  }

  /** Milliseconds since the routes in use were last known to be the latest: 0 while a leader streams, undefined before any routes. */
  get age(): number | undefined {
    if (this.epoch === 0) return undefined;
    return this.#lostAt === undefined ? 0 : this.#clock.monotonic() - this.#lostAt;
  }

  take(stream: number, update: RoutesUpdate): RoutesVerdict {
    const verdict = judgeRoutes({ stream, sequence: this.#sequences.get(stream) ?? 0 }, this.#source, update);
    this.#sequences.set(stream, update.sequence);
    if (verdict !== 'take') return verdict;
    const { epoch, stream: before } = this.#source;
    if (before !== stream || this.#leaderSince === undefined) this.#leaderSince = this.#clock.monotonic();
    this.#source = { epoch: update.epoch, stream };
    this.#lostAt = undefined;
    if (update.gateways !== undefined) this.#onGateways(update.gateways);
    this.#routes.apply(update);
    if (update.epoch > epoch) this.#onHigherEpoch(update.epoch, stream);
    return verdict;
  }

  /** The stream ended. The routes stay. True if it was the one that led. */
  disconnected(stream: number): boolean {
    this.#sequences.delete(stream);
    if (this.#source.stream !== stream) return false;
    this.#source = { ...this.#source, stream: undefined };
    this.#leaderSince = undefined;
    this.#lostAt = this.#clock.monotonic();
    return true;
  }

  /** Lets pods go that only announced themselves and that the leader does not know after a while. */
  expireUnlisted(): void {
    if (this.#leaderSince === undefined) return;
    for (const revision of this.#routes.revisions) revision.expireUnlisted(this.#clock.monotonic(), this.#leaderSince);
  }
}
