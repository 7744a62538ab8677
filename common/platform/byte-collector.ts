const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Puts bytes together that come in pieces of any size, in one buffer that grows. Keeping the pieces instead would cost about 200 bytes of heap each,
 * which is 200 times its length where a stranger sends a body byte by byte. A single piece is kept as it is, not copied.
 */
export class ByteCollector {
  readonly #expected: number;
  #buffer = NOTHING;
  #length = 0;
  /** False while the buffer is the first piece itself, which is somebody else's memory. */
  #isOwn = false;

  /** `expected` bytes have room from the second piece on; more may come. */
  constructor(expected = 0) {
    this.#expected = expected;
  }

  get length(): number {
    return this.#length;
  }

  /** All of them: a view that later pieces do not change. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** The piece must not be written to afterwards. */
  push(piece: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      this.#length = piece.length;
      return;
    }
    const length = this.#length + piece.length;
    if (!this.#isOwn || length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#expected, 2 * this.#length));
      grown.set(this.bytes);
      this.#buffer = grown;
      this.#isOwn = true;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }
}
