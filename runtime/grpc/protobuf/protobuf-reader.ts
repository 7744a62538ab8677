/**
 * Reads the protobuf wire format (https://protobuf.dev/programming-guides/encoding) from bytes that a stranger sent: never past their end, and
 * without a copy.
 */
import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '../../protocol/protocol-error.ts';

/** How a value lies in the bytes. The two kinds of group ended with proto2. */
export const WIRE = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const;
export type WireType = (typeof WIRE)[keyof typeof WIRE];

const HIGH = 2 ** 32;

/**
 * Fields of one message, those of messages in it included. Two bytes are a field, and 64 MiB of them would be read for ten seconds in which the process
 * does nothing else. It is enough for a million BYTES elements, the most of one tensor.
 */
const MOST_FIELDS = 1_100_000;

export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #budget: { fields: number };
  #at = 0;
  /** Of the last varint: two halves of 32 bits, because numbers are exact to 53 and every bigint is an allocation. */
  #low = 0;
  #high = 0;

  constructor(bytes: Buffer, budget = { fields: MOST_FIELDS }) {
    this.#bytes = bytes;
    this.#budget = budget;
  }

  /** Of the message that is the next value. */
  nested(): ProtobufReader {
    return new ProtobufReader(this.bytes(), this.#budget);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** The next field's number and wire type as one: number × 8 + wire type. */
  tag(): number {
    this.varint();
    if (this.#high !== 0 || this.#low < 8) throw malformed('a field has no valid number');
    this.#budget.fields -= 1;
    if (this.#budget.fields < 0) {
      throw new ProtocolError(
        `The message has more than ${MOST_FIELDS} fields; send tensors in raw_input_contents.`,
        413,
      );
    }
    return this.#low;
  }

  /** Moves over one, for `low`, `high` and the numbers made of them. */
  varint(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed('it ends in the middle of a number');
      this.#at += 1;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw malformed('a number is longer than ten bytes');
  }

  /** Unsigned halves of the last varint. */
  get low(): number {
    return this.#low;
  }

  get high(): number {
    return this.#high;
  }

  bool(): boolean {
    this.varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int32(): number {
    this.varint();
    return this.#low | 0;
  }

  /** Rounded beyond 2⁵³. */
  int64(): number {
    this.varint();
    return (this.#high | 0) * HIGH + this.#low;
  }

  /** Rounded beyond 2⁵³. */
  uint64(): number {
    this.varint();
    return this.#high * HIGH + this.#low;
  }

  double(): number {
    return this.#take(8).readDoubleLE(0);
  }

  /** A view. */
  bytes(): Buffer {
    this.varint();
    if (this.#high !== 0) throw malformed('a length goes past its end');
    return this.#take(this.#low);
  }

  string(): string {
    const bytes = this.bytes();
    if (!isUtf8(bytes)) throw malformed('a text is not UTF-8');
    return bytes.toString('utf8');
  }

  /** One value as it lies there, without tag or length. A view. */
  raw(wireType: number): Buffer {
    switch (wireType) {
      case WIRE.varint: {
        const begin = this.#at;
        this.varint();
        return this.#bytes.subarray(begin, this.#at);
      }
      case WIRE.fixed64:
        return this.#take(8);
      case WIRE.delimited:
        return this.bytes();
      case WIRE.fixed32:
        return this.#take(4);
      default:
        throw malformed(`a field has the wire type ${wireType}`);
    }
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed('a length goes past its end');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}

export function malformed(reason: string): ProtocolError {
  return new ProtocolError(`The message is not valid protobuf: ${reason}.`);
}
