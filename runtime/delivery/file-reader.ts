/** Reads a file here and there, through a window: a model's structure is a few KB between gigabytes of weights. */
import { readSync } from 'node:fs';

const WINDOW_BYTES = 64 * 1024;

export class FileReader {
  readonly #fd: number;
  readonly size: number;
  readonly #window = Buffer.allocUnsafe(WINDOW_BYTES);
  #start = 0;
  #end = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  /** Throws RangeError behind the end. */
  byte(position: number): number {
    if (position < this.#start || position >= this.#end) this.#load(position);
    return this.#window[position - this.#start] ?? 0;
  }

  text(position: number, length: number): string {
    return this.bytes(position, length).toString('utf8');
  }

  bytes(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    if (position + length > this.size || readSync(this.#fd, bytes, 0, length, position) < length) throw tooShort();
    return bytes;
  }

  #load(position: number): void {
    const length = readSync(this.#fd, this.#window, 0, WINDOW_BYTES, position);
    if (length === 0) throw tooShort();
    this.#start = position;
    this.#end = position + length;
  }
}

function tooShort(): RangeError {
  return new RangeError('the file ends too early');
}
