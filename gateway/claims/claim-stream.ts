/** Another gateway's stream of claims, as the owner serves it: each claim gets a slot in its turn. When the stream ends, its slots and places are free. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { FieldError } from '../../common/wire/fields.ts';
import { encodeLine, NdjsonDecoder, NdjsonError } from '../../common/wire/ndjson.ts';
import { repeat } from '../repeat.ts';
import type { ClaimResult } from '../metrics/control-counters.ts';
import type { ClaimLoad } from '../metrics/load-gauges.ts';
import type { Place } from '../revision/hold-queue.ts';
import type { Revision, Waiter } from '../revision/revision.ts';
import type { Slot } from '../revision/slot.ts';
import type { ClaimOutcome } from '../revision/slot-owner.ts';
import type { RouteTable } from '../routing/route-table.ts';
import {
  BEAT_MILLISECONDS,
  MAX_CLAIM_LINE_BYTES,
  MOST_UNSENT_BYTES,
  parseClaimantMessage,
  SILENCE_MILLISECONDS,
  type ClaimantMessage,
  type OwnerMessage,
} from './claim-messages.ts';

/** Claims of one gateway at once: as many as it has connections on both ports by default, and its streams of HTTP/2 as many again. */
const MOST_CLAIMS = 40_000;

export interface ClaimStreamParts {
  readonly clock: Clock;
  readonly routes: RouteTable;
  readonly logger: Logger;
  readonly count: (result: ClaimResult) => void;
}

/** A claim: waiting, or with a slot. */
interface Held {
  readonly revision: Revision;
  place: Place<Waiter> | undefined;
  slot: Slot | undefined;
}

export class ClaimStream {
  readonly #parts: ClaimStreamParts;
  readonly #response: ServerResponse;
  readonly #held = new Map<number, Held>();
  readonly #cancelBeat: Cancel;
  #cancelSilence: Cancel = () => undefined;
  #isOver = false;

  /** Both bodies belong to it from here on; `onClose` is called when they are done. */
  constructor(parts: ClaimStreamParts, request: IncomingMessage, response: ServerResponse, onClose: () => void) {
    this.#parts = parts;
    this.#response = response;
    request.socket.setNoDelay(true);
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    this.#write({ type: 'beat' });
    this.#cancelBeat = repeat(parts.clock, BEAT_MILLISECONDS, () => this.#write({ type: 'beat' }));
    this.#hear();
    this.#receive(request);
    response.once('close', () => {
      this.#end();
      onClose();
    });
  }

  get load(): ClaimLoad {
    let granted = 0;
    for (const { slot } of this.#held.values()) if (slot !== undefined) granted += 1;
    return { granted, waiting: this.#held.size - granted };
  }

  /** No further claim is served; who waits here goes elsewhere. */
  end(): void {
    this.#end();
    this.#response.end();
  }

  #receive(request: IncomingMessage): void {
    const decoder = new NdjsonDecoder(MAX_CLAIM_LINE_BYTES);
    request.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => {
      if (this.#isOver) return;
      this.#hear();
      try {
        decoder.push(chunk, (message) => {
          if (!this.#isOver) this.#take(parseClaimantMessage(message));
        });
      } catch (error) {
        if (!(error instanceof NdjsonError || error instanceof FieldError)) throw error;
        this.#endBecause(error.message);
      }
    });
    request.once('end', () => this.end());
  }

  #take(message: ClaimantMessage): void {
    switch (message.type) {
      case 'beat':
        return;
      case 'release':
        return this.#release(message.id, message.outcome);
      case 'claim':
        return this.#claim(message);
    }
  }

  #claim({ id, namespace, revision: name, waited, again }: Extract<ClaimantMessage, { type: 'claim' }>): void {
    if (this.#held.has(id)) return this.#endBecause(`Claim ${id} was made twice.`);
    if (this.#held.size >= MOST_CLAIMS) return this.#endBecause(`There are more than ${MOST_CLAIMS} claims.`);
    const revision = this.#parts.routes.revision(namespace, name);
    const deny = (): void => {
      this.#held.delete(id);
      this.#parts.count('denied');
      this.#write({ type: 'deny', id });
    };
    if (revision === undefined) return deny();
    const held: Held = { revision, place: undefined, slot: undefined };
    this.#held.set(id, held);
    const waiter: Waiter = {
      granted: (slot) => {
        held.place = undefined;
        held.slot = slot;
        this.#parts.count('granted');
        const { uid, name: pod, address } = slot.pod;
        this.#write({ type: 'grant', id, pod: { uid, name: pod, host: address.host, ports: address.ports } });
      },
      denied: deny,
      displaced: deny,
    };
    held.place = revision.claim(waiter, this.#parts.clock.monotonic() - waited, again);
  }

  #release(id: number, outcome: ClaimOutcome | undefined): void {
    const held = this.#held.get(id);
    // Its denial and this crossed.
    if (held === undefined) return;
    this.#held.delete(id);
    if (held.slot === undefined) this.#parts.count('left');
    if (held.place !== undefined) held.revision.leave(held.place);
    if (typeof outcome === 'number') held.slot?.answered(outcome);
    else if (outcome !== undefined) held.slot?.failed(outcome);
    held.slot?.release();
  }

  #endBecause(reason: string): void {
    this.#parts.logger.warn({ reason }, 'Ended the claims of another gateway');
    this.end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelBeat();
    this.#cancelSilence();
    for (const id of [...this.#held.keys()]) this.#release(id, undefined);
  }

  #hear(): void {
    this.#cancelSilence();
    this.#cancelSilence = this.#parts.clock.after(SILENCE_MILLISECONDS, () => this.#response.destroy());
  }

  #write(message: OwnerMessage): void {
    if (this.#isOver) return;
    if (this.#response.writableLength > MOST_UNSENT_BYTES) this.#response.destroy();
    else this.#response.write(encodeLine(message));
  }
}
