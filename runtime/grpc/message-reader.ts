/**
 * Cuts what comes in on a stream into messages: each is a byte that says whether it is compressed, its length in four bytes, and that many bytes.
 * The length is seen before the message, so whoever owns the memory can refuse it.
 */
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';

export const PREFIX_BYTES = 5;

export interface FramedMessage {
  readonly compressed: boolean;
  readonly bytes: Buffer;
}

export interface MessageEvents {
  /** One begins. Called once for each, before the first byte of it is kept. What it throws, `push` throws. */
  begun(length: number, compressed: boolean): void;
  /** False: no more for now, and `push` gives back what it has not read. */
  complete(message: FramedMessage): boolean;
}

export class MessageReader {
  readonly #limit: number;
  readonly #events: MessageEvents;
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #prefixLength = 0;
  #length = 0;
  #body: ByteCollector | undefined;

  /** Messages are at most `limit` bytes long. */
  constructor(limit: number, events: MessageEvents) {
    this.#limit = limit;
    this.#events = events;
  }

  /** True between two messages. */
  get isBetween(): boolean {
    return this.#prefixLength === 0;
  }

  /**
   * The rest of the chunk, if `complete` wanted no more: to be pushed before anything else. Throws ProtocolError for what is no message, or one that is
   * too long; nothing more may be pushed then.
   */
  push(chunk: Buffer): Buffer | undefined {
    let at = 0;
    while (at < chunk.length || this.#isComplete) {
      if (this.#body === undefined) {
        const taken = chunk.copy(this.#prefix, this.#prefixLength, at, at + PREFIX_BYTES - this.#prefixLength);
        this.#prefixLength += taken;
        at += taken;
        if (this.#prefixLength === PREFIX_BYTES) this.#begin();
        continue;
      }
      const end = Math.min(chunk.length, at + this.#length - this.#body.length);
      if (end > at) this.#body.push(chunk.subarray(at, end));
      at = end;
      if (this.#isComplete && !this.#complete(this.#body.bytes) && at < chunk.length) return chunk.subarray(at);
    }
    return undefined;
  }

  get #isComplete(): boolean {
    return this.#body !== undefined && this.#body.length === this.#length;
  }

  #begin(): void {
    const flag = this.#prefix[0];
    if (flag !== 0 && flag !== 1) throw new ProtocolError('The stream is not gRPC: no message begins as it should.');
    this.#length = this.#prefix.readUInt32BE(1);
    if (this.#length > this.#limit) {
      throw new ProtocolError(
        `The message has ${this.#length} bytes; ${this.#limit} are taken (PILOTLIGHT_MAX_BODY_BYTES).`,
        413,
      );
    }
    this.#events.begun(this.#length, flag === 1);
    this.#body = new ByteCollector(this.#length);
  }

  #complete(bytes: Buffer): boolean {
    this.#body = undefined;
    this.#prefixLength = 0;
    return this.#events.complete({ compressed: this.#prefix[0] === 1, bytes });
  }
}
