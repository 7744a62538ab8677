/** Writes the protobuf wire format into one buffer that grows. */
import type { WireType } from './protobuf-reader.ts';

/** A varint of 64 bits has up to this many bytes. */
const VARINT_BYTES = 10;

export class ProtobufWriter {
  #buffer: Buffer;
  #length: number;

  /** The first `reserved` bytes are left for the caller to fill; room for `expected` more is made at once. */
  constructor(reserved = 0, expected = 128) {
    this.#buffer = Buffer.allocUnsafe(reserved + expected);
    this.#length = reserved;
  }

  /** What was written, reserved bytes included. Nothing may be written afterwards. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  tag(number: number, wireType: WireType): void {
    this.integer(number * 8 + wireType);
  }

  /** An integer of at most 53 bits as a varint; a negative one as its 64-bit two's complement. */
  integer(value: number): void {
    this.#reserve(VARINT_BYTES);
    if (value < 0) return this.#negative(value);
    let left = value;
    while (left >= 0x80) {
      this.#buffer[this.#length++] = (left % 0x80) | 0x80;
      left = Math.floor(left / 0x80);
    }
    this.#buffer[this.#length++] = left;
  }

  /** A varint from two unsigned halves of 32 bits. */
  halves(low: number, high: number): void {
    this.#reserve(VARINT_BYTES);
    while (high !== 0 || low >= 0x80) {
      this.#buffer[this.#length++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#buffer[this.#length++] = low;
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#buffer.writeDoubleLE(value, this.#length);
  }

  string(value: string): void {
    const length = Buffer.byteLength(value, 'utf8');
    this.integer(length);
    this.#reserve(length);
    this.#length += this.#buffer.write(value, this.#length, 'utf8');
  }

  /** Length and bytes. */
  bytes(value: Uint8Array): void {
    this.integer(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #negative(value: number): void {
    const bits = BigInt.asUintN(64, BigInt(value));
    this.halves(Number(bits & 0xffff_ffffn), Number(bits >> 32n));
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
    grown.set(this.written);
    this.#buffer = grown;
  }
}
