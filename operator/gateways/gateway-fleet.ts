import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { FunctionName, FunctionRoute, GatewayRoute } from '../../common/wire/routes.ts';
import type { SigningKey } from '../../common/wire/tokens.ts';
import type { DemandLedger } from './demand-ledger.ts';
import { EpochClaim } from './epoch-claim.ts';
import { GatewayConnection } from './gateway-connection.ts';
import type { GatewayAddress } from './gateway-stream.ts';
import { functionKey } from './routes-outbox.ts';

/** What the fleet stands on. */
export interface GatewayFleetOptions {
  readonly clock: Clock;
  /** From 0 up to 1; spreads reconnections. */
  readonly random: () => number;
  /** The control token that operators and gateways share. */
  readonly token: string;
  /** Name of this operator replica. */
  readonly operator: string;
  readonly keys: readonly SigningKey[];
  readonly ledger: DemandLedger;
  /**
   * Makes an epoch of at least `atLeast`, higher than any before, this leader's own, by compare-and-swap in its Lease. Rejects when this replica
   * does not lead any more; it is asked again after a while, as long as nobody called `follow`.
   */
  readonly claimEpoch: (atLeast: number) => Promise<number>;
  readonly onAnnouncement: (announcement: Announcement, gatewayId: string) => void;
  readonly logger: Logger;
}

/**
 * All gateways, each on one connection: demand and announcements come in from each, routes go out to each while this replica leads. It does not find
 * gateways and does not make routes.
 */
export class GatewayFleet {
  readonly #options: GatewayFleetOptions;
  readonly #connections = new Map<string, GatewayConnection>();
  readonly #routes = new Map<string, FunctionRoute>();
  readonly #epoch: EpochClaim;
  #peers: readonly GatewayRoute[] = [];
  #keys: readonly SigningKey[];
  #tokens: readonly string[];

  constructor(options: GatewayFleetOptions) {
    const { clock, claimEpoch, logger } = options;
    this.#options = options;
    this.#keys = options.keys;
    this.#tokens = [options.token];
    this.#epoch = new EpochClaim({ clock, claimEpoch, logger, onClaimed: (epoch) => this.#beginRoutes(epoch) });
  }

  /** The gateway pods that exist, ready or not, terminating too. One that is no longer named is gone, with its demand. */
  setGateways(gateways: readonly GatewayAddress[]): void {
    const wanted = new Map(gateways.map((gateway) => [gateway.id, gateway]));
    for (const [id, connection] of this.#connections) {
      const next = wanted.get(id);
      if (next !== undefined && isSamePlace(next, connection.address)) continue;
      connection.close();
      this.#connections.delete(id);
      if (next === undefined) this.#options.ledger.gatewayGone(id, this.#seconds());
    }
    const peers = gateways.filter(({ doubtful }) => doubtful !== true).map(peerOf);
    peers.sort((a, b) => (a.id < b.id ? -1 : 1));
    const moved = !isDeepStrictEqual(peers, this.#peers);
    this.#peers = peers;
    if (moved) for (const connection of this.#connections.values()) connection.peersChanged();
    for (const gateway of gateways) {
      this.#options.ledger.doubt(gateway.id, gateway.doubtful === true);
      if (!this.#connections.has(gateway.id)) this.#connect(gateway);
    }
  }

  /** New or changed. It is sent while this replica leads, and kept for gateways that connect later. */
  publish(route: FunctionRoute): void {
    this.#routes.set(functionKey(route), route);
    for (const connection of this.#connections.values()) connection.publish(route);
  }

  remove(name: FunctionName): void {
    if (!this.#routes.delete(functionKey(name))) return;
    for (const connection of this.#connections.values()) connection.remove(name);
  }

  /** Whole, each time they change. */
  setKeys(keys: readonly SigningKey[]): void {
    this.#keys = keys;
    for (const connection of this.#connections.values()) connection.keysChanged();
  }

  /** Gateways that began before it are still shown the former one. */
  setToken(token: string): void {
    this.#tokens = [token, ...this.#tokens.slice(0, 1)];
  }

  /** Ids of the keys that every connected gateway has; undefined while none is connected. */
  heldKeys(): ReadonlySet<string> | undefined {
    let held: readonly string[] | undefined;
    for (const { keysHeld } of this.#connections.values()) {
      if (keysHeld !== undefined) held = held?.filter((id) => keysHeld.includes(id)) ?? keysHeld;
    }
    return held && new Set(held);
  }

  /** This replica leads. Every route must have been published before, for what is not named in the first update is gone. */
  lead(): void {
    for (const { hello } of this.#connections.values())
      if (hello !== undefined) this.#epoch.reported(hello.highestEpoch);
    this.#epoch.begin();
  }

  /** This replica does not lead any more; it goes on reading demand. */
  follow(): void {
    this.#epoch.end();
    for (const connection of this.#connections.values()) connection.endRoutes();
  }

  close(): void {
    this.#epoch.end();
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #connect(address: GatewayAddress): void {
    const { operator, clock, random, logger, ledger, onAnnouncement } = this.#options;
    const connection = new GatewayConnection({
      address,
      tokens: () => this.#tokens,
      operator,
      clock,
      random,
      logger,
      keys: () => this.#keys,
      peers: () => this.#peers,
      onHello: ({ highestEpoch }) => {
        this.#epoch.reported(highestEpoch);
        const epoch = this.#epoch.current;
        if (epoch !== undefined) connection.beginRoutes(epoch, this.#routes.values());
      },
      onDemand: (record) => {
        ledger.record(address.id, record, this.#seconds());
        for (const announcement of record.announcements) onAnnouncement(announcement, address.id);
      },
    });
    this.#connections.set(address.id, connection);
  }

  #beginRoutes(epoch: number): void {
    for (const connection of this.#connections.values()) connection.beginRoutes(epoch, this.#routes.values());
  }

  #seconds(): number {
    return this.#options.clock.monotonic() / 1000;
  }
}

function peerOf({ id, host, controlPort }: GatewayAddress): GatewayRoute {
  return { id, host, controlPort };
}

function isSamePlace(a: GatewayAddress, b: GatewayAddress): boolean {
  return a.host === b.host && a.controlPort === b.controlPort;
}
