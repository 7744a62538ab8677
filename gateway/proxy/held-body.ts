/**
 * What is held of a request's body, so that it can be sent again: in pieces, as they were read, for a copy of them costs more than to pass them on. Copied
 * is what would take much more memory than it has bytes.
 */
import { ByteCollector } from '../../common/platform/byte-collector.ts';

/** Smaller pieces are put together: each by itself costs 200 bytes of heap, which is 200 times its length where a stranger sends byte by byte. */
const PIECE_BYTES = 4 * 1024;

/** Of pieces that are put together. As much as one read from a connection brings at most. */
const BLOCK_BYTES = 64 * 1024;

export class HeldBody {
  /** All but the latest read. */
  #blocks: ByteCollector[] = [];
  /** The last one, while it takes more. */
  #open: ByteCollector | undefined;
  /** Pieces of the latest read: they share its memory, with what else came in it. */
  #read: Buffer[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** In their order, as they are now. */
  get pieces(): Buffer[] {
    return [...this.#blocks.map(({ bytes }) => bytes), ...this.#read];
  }

  /** The piece must not be written to afterwards. */
  add(piece: Buffer): void {
    this.#length += piece.length;
    const [latest] = this.#read;
    if (latest === undefined) this.#read = [piece];
    else if (latest.buffer === piece.buffer) this.#read.push(piece);
    else {
      this.#settle(latest.buffer.byteLength);
      this.#read = [piece];
    }
  }

  /** Makes one piece of all, and gives it: a copy, unless there is only one. */
  join(): Buffer {
    const [latest] = this.#read;
    if (latest?.length === this.#length) return latest;
    const joined = Buffer.concat(this.pieces, this.#length);
    this.#blocks = [];
    this.#open = undefined;
    this.#read = [joined];
    return joined;
  }

  /** Its first bytes, so many if there are. */
  head(bytes: number): Buffer {
    const first = this.#blocks[0]?.bytes ?? this.#read[0];
    return (first !== undefined && first.length >= bytes ? first : this.join()).subarray(0, bytes);
  }

  /** Nothing more comes of the latest read, which takes so much memory. A frame of HTTP/2 has a quarter of it, and may be all that is held of it. */
  #settle(memory: number): void {
    const read = this.#read;
    const bytes = read.reduce((sum, { length }) => sum + length, 0);
    if (bytes >= read.length * PIECE_BYTES && 2 * bytes >= memory) {
      for (const piece of read) this.#append(piece);
      this.#open = undefined;
    } else {
      const copy = Buffer.concat(read, bytes);
      if (this.#open === undefined || this.#open.length + bytes > BLOCK_BYTES) this.#open = this.#append(copy);
      else this.#open.push(copy);
    }
  }

  #append(piece: Buffer): ByteCollector {
    const block = new ByteCollector();
    block.push(piece);
    this.#blocks.push(block);
    return block;
  }
}
