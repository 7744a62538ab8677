import { backOff } from '../../common/platform/back-off.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { DemandRecord } from '../../common/wire/demand.ts';
import type { FunctionName, FunctionRoute, GatewayRoute } from '../../common/wire/routes.ts';
import type { GatewayHello, GatewayMessage } from '../../common/wire/stream.ts';
import type { SigningKey } from '../../common/wire/tokens.ts';
import { openGatewayStream, type GatewayAddress, type GatewayStream } from './gateway-stream.ts';
import { RoutesOutbox } from './routes-outbox.ts';

/** What a connection stands on, and whom it tells. A callback that throws ends the stream. */
export interface GatewayConnectionOptions {
  readonly address: GatewayAddress;
  /** The control tokens that a gateway may expect, the newest first; at least one. */
  readonly tokens: () => readonly string[];
  /** Name of this operator replica. */
  readonly operator: string;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly logger: Logger;
  /** The keys of this moment. */
  readonly keys: () => readonly SigningKey[];
  /** The gateways of this moment that revisions are shared out among. */
  readonly peers: () => readonly GatewayRoute[];
  /** The gateway said hello, and may be given routes; again when it has taken routes of a higher epoch from another operator. */
  readonly onHello: (hello: GatewayHello) => void;
  readonly onDemand: (record: DemandRecord) => void;
}

/**
 * A gateway older than the field says nothing of its keys, but takes them as they come: one that has spoken for so long after they were sent has
 * read them, for it reads and speaks on one thread.
 */
const UNSAID_MILLISECONDS = 10_000;

const FIRST_RETRY_MILLISECONDS = 100;
const LAST_RETRY_MILLISECONDS = 5_000;

/**
 * Keeps one gateway connected: opens a stream, opens the next one when it ends, waiting longer after each failure in a row. It checks that the
 * gateway speaks first and as one process only, and never writes faster than the gateway reads. Which routes to send, and whether, the fleet says.
 */
export class GatewayConnection {
  readonly #options: GatewayConnectionOptions;
  #stream: GatewayStream | undefined;
  #hello: GatewayHello | undefined;
  /** When the gateway said hello. */
  #connectedAt = 0;
  #outbox: RoutesOutbox;
  #writable = false;
  #keysWaiting = false;
  #keysSent: readonly string[] = [];
  #keysSentAt = 0;
  /** Ids of the keys that the gateway has, as far as it has said or is to be taken for granted. */
  #keysHeld: readonly string[] = [];
  #failures = 0;
  /** Attempts that the gateway did not answer with a hello: the next one shows another token, as gateways that were not restarted want the former. */
  #unanswered = 0;
  #cancelRetry: Cancel = () => undefined;

  constructor(options: GatewayConnectionOptions) {
    this.#options = options;
    this.#outbox = this.#emptyOutbox();
    this.#open();
  }

  get address(): GatewayAddress {
    return this.#options.address;
  }

  /** What the gateway said when it connected; undefined while it is not connected. */
  get hello(): GatewayHello | undefined {
    return this.#hello;
  }

  /** Ids of the keys that the gateway has; undefined while it is not connected. */
  get keysHeld(): readonly string[] | undefined {
    return this.#hello === undefined ? undefined : this.#keysHeld;
  }

  /** From now on the gateway gets routes of this epoch, everything first. */
  beginRoutes(epoch: number, routes: Iterable<FunctionRoute>): void {
    if (this.#hello === undefined) return;
    this.#outbox.begin(epoch, routes);
    this.#flush();
  }

  endRoutes(): void {
    this.#outbox.end();
  }

  publish(route: FunctionRoute): void {
    this.#outbox.publish(route);
    this.#flush();
  }

  remove(name: FunctionName): void {
    this.#outbox.remove(name);
    this.#flush();
  }

  peersChanged(): void {
    this.#outbox.gatewaysChanged();
    this.#flush();
  }

  keysChanged(): void {
    this.#keysWaiting = true;
    this.#flush();
  }

  close(): void {
    this.#cancelRetry();
    this.#disconnect();
  }

  #open(): void {
    const { address, tokens, clock, operator } = this.#options;
    const all = tokens();
    this.#stream = openGatewayStream({
      address,
      token: all[this.#unanswered % all.length] ?? '',
      clock,
      onMessage: (message) => this.#take(message),
      onDrain: () => {
        this.#writable = true;
        this.#flush();
      },
      onEnd: (cause) => this.#retry(cause),
    });
    this.#keysWaiting = true;
    this.#writable = this.#stream.write({ type: 'hello', operator });
  }

  #take(message: GatewayMessage): void {
    if (message.type === 'demand') {
      if (message.bootId !== this.#hello?.bootId) throw new Error('A record must follow a hello with its bootId.');
      this.#keysHeld = message.keys ?? this.#unsaidKeys();
      this.#options.onDemand(message);
      return;
    }
    if (this.#hello === undefined) {
      this.#connectedAt = this.#options.clock.monotonic();
      this.#options.logger.info({ gateway: this.address.id, bootId: message.bootId }, 'Connected to gateway');
    } else if (this.#hello.bootId !== message.bootId) throw new Error('All hellos of a stream must have one bootId.');
    this.#hello = message;
    this.#flush();
    this.#options.onHello(message);
  }

  /** Keys go first: a gateway that learns of a pod must be able to check what the pod says. */
  #flush(): void {
    if (this.#stream === undefined || this.#hello === undefined) return;
    if (this.#writable && this.#keysWaiting) {
      this.#keysWaiting = false;
      const keys = this.#options.keys().map(({ id, secret }) => ({ id, secret }));
      this.#keysSent = keys.map(({ id }) => id);
      this.#keysSentAt = this.#options.clock.monotonic();
      this.#writable = this.#stream.write({ type: 'keys', keys });
    }
    if (!this.#writable) return;
    const update = this.#outbox.take();
    if (update !== undefined) this.#writable = this.#stream.write(update);
  }

  #unsaidKeys(): readonly string[] {
    const { clock } = this.#options;
    return clock.monotonic() - this.#keysSentAt < UNSAID_MILLISECONDS ? this.#keysHeld : this.#keysSent;
  }

  #retry(cause: Error): void {
    const { clock, random, logger } = this.#options;
    // A gateway that says hello and then nonsense fails too; one that served for a while begins anew.
    if (this.#hello === undefined) this.#unanswered += 1;
    const lasted = this.#hello === undefined ? 0 : clock.monotonic() - this.#connectedAt;
    if (lasted > LAST_RETRY_MILLISECONDS) this.#failures = 0;
    this.#disconnect();
    const milliseconds = backOff(this.#failures, FIRST_RETRY_MILLISECONDS, LAST_RETRY_MILLISECONDS, random());
    this.#failures += 1;
    logger.warn({ gateway: this.address.id, err: cause, milliseconds }, 'Lost the gateway, trying again');
    this.#cancelRetry = clock.after(milliseconds, () => this.#open());
  }

  #disconnect(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#hello = undefined;
    this.#keysSent = [];
    this.#keysHeld = [];
    this.#outbox = this.#emptyOutbox();
    this.#writable = false;
  }

  #emptyOutbox(): RoutesOutbox {
    const { address, peers } = this.#options;
    return new RoutesOutbox(() => ({ self: address.id, all: peers() }));
  }
}
