/**
 * JSON messages on a byte stream, one a line. It frames and parses; what a message must look like is for the reader to check. Every failure is
 * thrown as a NdjsonError, after which the stream cannot be trusted any more and has to be ended.
 */

import { ByteCollector } from '../platform/byte-collector.ts';

/** The peer sent what is not a line of JSON within the limit. */
export class NdjsonError extends Error {
  override readonly name = 'NdjsonError';
}

const LINE_FEED = 0x0a;

export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}

/** Puts lines back together from chunks that are cut anywhere, also inside a character. At most one line is buffered. */
export class NdjsonDecoder {
  readonly #maxLineBytes: number;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  /** The beginning of a line whose end has not come. */
  #beginning = new ByteCollector();

  /** `maxLineBytes` counts a line without its line feed. */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Hands over each message that the chunk completes, in order. Those before a bad line are handed over before it throws. */
  push(chunk: Uint8Array, onMessage: (message: unknown) => void): void {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const last = chunk.subarray(start, end);
      start = end + 1;
      onMessage(this.#parse(this.#complete(last)));
    }
    this.#keep(chunk.subarray(start));
  }

  #complete(last: Uint8Array): Uint8Array {
    if (this.#beginning.length === 0) {
      this.#check(last.length);
      return last;
    }
    this.#keep(last);
    const { bytes } = this.#beginning;
    this.#beginning = new ByteCollector();
    return bytes;
  }

  #keep(part: Uint8Array): void {
    this.#check(this.#beginning.length + part.length);
    this.#beginning.push(part);
  }

  #check(length: number): void {
    if (length <= this.#maxLineBytes) return;
    throw new NdjsonError(`A line is longer than ${this.#maxLineBytes} bytes; lines must end before that.`);
  }

  #parse(line: Uint8Array): unknown {
    try {
      return JSON.parse(this.#text.decode(line));
    } catch (error) {
      throw new NdjsonError('A line is not JSON in UTF-8.', { cause: error });
    }
  }
}
