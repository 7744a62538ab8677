/** The way to one other gateway that gives out slots: keeps a stream of claims open, and tells when there is none. */
import { request as httpRequest, type ClientRequest } from 'node:http';
import { backOff } from '../../common/platform/back-off.ts';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { encodeLine, NdjsonDecoder } from '../../common/wire/ndjson.ts';
import type { GatewayRoute } from '../../common/wire/routes.ts';
import { repeat } from '../repeat.ts';
import type { Claim, ClaimEvents, ClaimRequest, SlotOwner } from '../revision/slot-owner.ts';
import {
  BEAT_MILLISECONDS,
  CLAIMS_PATH,
  MAX_CLAIM_LINE_BYTES,
  MOST_UNSENT_BYTES,
  parseOwnerMessage,
  SILENCE_MILLISECONDS,
  type ClaimantMessage,
} from './claim-messages.ts';

const FIRST_RETRY_MILLISECONDS = 100;
const LAST_RETRY_MILLISECONDS = 5_000;

export interface PeerParts {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly token: string;
  readonly logger: Logger;
  /** The way opened, or broke: claims on it are void, and nobody is told of them one by one. */
  readonly onChange: () => void;
}

export class Peer implements SlotOwner {
  readonly route: GatewayRoute;
  readonly #parts: PeerParts;
  readonly #claims = new Map<number, ClaimEvents>();
  #request: ClientRequest | undefined;
  /** In monotonic milliseconds; undefined while it is not open. */
  #openedAt: number | undefined;
  #isTrying = false;
  #last = 0;
  #failures = 0;
  #cancelTimers: Cancel = () => undefined;
  #cancelSilence: Cancel = () => undefined;

  constructor(route: GatewayRoute, parts: PeerParts) {
    this.route = route;
    this.#parts = parts;
  }

  /** Claims can be made. */
  get isOpen(): boolean {
    return this.#openedAt !== undefined;
  }

  /** Opens the way, and opens it again whenever it breaks, until `close`. */
  open(): void {
    if (this.#isTrying) return;
    this.#isTrying = true;
    this.#connect();
  }

  #connect(): void {
    const { clock, token } = this.#parts;
    const { host, controlPort: port } = this.route;
    const request = httpRequest({
      host,
      port,
      method: 'POST',
      path: CLAIMS_PATH,
      agent: false,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    });
    this.#request = request;
    const failed = (cause: Error): void => {
      if (this.#request === request) this.#fail(cause);
    };
    this.#cancelTimers = repeat(clock, BEAT_MILLISECONDS, () => this.#write({ type: 'beat' }));
    this.#hear();
    request.setNoDelay(true);
    request.on('error', failed);
    request.on('close', () => failed(new Error('The connection ended.')));
    request.on('response', (response) => {
      if (response.statusCode !== 200) return failed(new Error(`It answered ${response.statusCode}.`));
      const decoder = new NdjsonDecoder(MAX_CLAIM_LINE_BYTES);
      response.on('error', failed);
      response.on('close', () => failed(new Error('It ended the stream.')));
      response.on('data', (chunk: Buffer) => {
        this.#hear();
        try {
          decoder.push(chunk, (message) => {
            if (this.#request === request) this.#take(message);
          });
        } catch (error) {
          failed(error instanceof Error ? error : new Error(String(error)));
        }
      });
      this.#openedAt = clock.monotonic();
      this.#parts.logger.info({ gateway: this.route.id }, 'Connected to the queue of another gateway');
      this.#parts.onChange();
    });
    request.flushHeaders();
  }

  /** Only while it `isOpen`. */
  claim(request: ClaimRequest, events: ClaimEvents): Claim {
    this.#last += 1;
    const id = this.#last;
    const stream = this.#request;
    this.#claims.set(id, events);
    this.#write({ type: 'claim', id, ...request });
    return {
      release: (outcome) => {
        this.#claims.delete(id);
        // What was granted over another stream is free since that broke.
        if (this.#request === stream)
          this.#write({ type: 'release', id, ...(outcome === undefined ? {} : { outcome }) });
      },
    };
  }

  /** Routes do not name it any more. */
  close(): void {
    this.#reset();
  }

  #take(message: unknown): void {
    const parsed = parseOwnerMessage(message);
    if (parsed.type === 'beat') return;
    const events = this.#claims.get(parsed.id);
    // Its release and this crossed.
    if (events === undefined) return;
    this.#claims.delete(parsed.id);
    if (parsed.type === 'grant') events.granted(parsed.pod);
    else events.denied();
  }

  #fail(cause: Error): void {
    const { clock, random, logger } = this.#parts;
    // One that accepts and then ends fails too; one that served for a while begins anew.
    const lasted = this.#openedAt === undefined ? 0 : clock.monotonic() - this.#openedAt;
    if (lasted > LAST_RETRY_MILLISECONDS) this.#failures = 0;
    this.#reset();
    const milliseconds = backOff(this.#failures, FIRST_RETRY_MILLISECONDS, LAST_RETRY_MILLISECONDS, random());
    this.#failures += 1;
    logger.warn(
      { gateway: this.route.id, err: cause, milliseconds },
      'Lost the queue of another gateway, trying again',
    );
    this.#cancelTimers = clock.after(milliseconds, () => this.#connect());
  }

  #reset(): void {
    this.#cancelTimers();
    this.#cancelSilence();
    const wasOpen = this.isOpen;
    const request = this.#request;
    this.#request = undefined;
    this.#openedAt = undefined;
    request?.destroy();
    this.#claims.clear();
    if (wasOpen) this.#parts.onChange();
  }

  #hear(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#parts.clock.after(SILENCE_MILLISECONDS, () => {
      this.#fail(new Error(`It was silent for ${SILENCE_MILLISECONDS / 1_000} s.`));
    });
  }

  #write(message: ClaimantMessage): void {
    const request = this.#request;
    if (request === undefined) return;
    if (request.writableLength > MOST_UNSENT_BYTES) request.destroy();
    else request.write(encodeLine(message));
  }
}
