/** Takes a response's body out of the bytes of a connection, by its framing, and says when it has ended. It copies nothing but the lines between chunks. */
import { HttpProtocolError, type BodyFraming } from './response-head.ts';

/** Views into a buffer that is written over afterwards. */
export type BodySink = (bytes: Buffer) => void;

export interface BodyDecoder {
  /** True once the body has ended; it throws HttpProtocolError if bytes follow that belong to no body. */
  push(bytes: Buffer): boolean;
  /** The connection ended: true if that is how this body ends. */
  readonly mayEnd: boolean;
}

export function bodyDecoder(framing: BodyFraming, sink: BodySink): BodyDecoder {
  switch (framing.kind) {
    case 'length':
      return new LengthDecoder(framing.bytes, sink);
    case 'chunked':
      return new ChunkedDecoder(sink);
    case 'close':
      return {
        mayEnd: true,
        push(bytes) {
          if (bytes.byteLength > 0) sink(bytes);
          return false;
        },
      };
  }
}

class LengthDecoder implements BodyDecoder {
  readonly mayEnd = false;
  readonly #sink: BodySink;
  #left: number;

  constructor(bytes: number, sink: BodySink) {
    this.#left = bytes;
    this.#sink = sink;
  }

  push(bytes: Buffer): boolean {
    if (bytes.byteLength > this.#left) throw new HttpProtocolError('the server sent more than it announced');
    this.#left -= bytes.byteLength;
    if (bytes.byteLength > 0) this.#sink(bytes);
    return this.#left === 0;
  }
}

/** A chunk's size in hexadecimal, an extension, trailers: nobody needs more for them. */
const MOST_LINE_BYTES = 4096;
const MOST_TRAILERS = 64;

class ChunkedDecoder implements BodyDecoder {
  readonly mayEnd = false;
  readonly #sink: BodySink;
  #state: 'size' | 'data' | 'dataEnd' | 'trailer' = 'size';
  #left = 0;
  #line = '';
  #trailers = 0;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  push(bytes: Buffer): boolean {
    let position = 0;
    while (position < bytes.byteLength) {
      if (this.#state === 'data') {
        const end = Math.min(bytes.byteLength, position + this.#left);
        this.#sink(bytes.subarray(position, end));
        this.#left -= end - position;
        position = end;
        if (this.#left === 0) this.#state = 'dataEnd';
        continue;
      }
      const newline = bytes.indexOf(0x0a, position);
      const end = newline === -1 ? bytes.byteLength : newline + 1;
      if (this.#line.length + end - position > MOST_LINE_BYTES) throw badChunk();
      this.#line += bytes.toString('latin1', position, end);
      position = end;
      if (newline === -1) return false;
      if (!this.#line.endsWith('\r\n')) throw badChunk();
      const line = this.#line.slice(0, -2);
      this.#line = '';
      if (!this.#takeLine(line)) continue;
      if (position < bytes.byteLength) throw new HttpProtocolError('the server sent more than its last chunk');
      return true;
    }
    return false;
  }

  /** True at the end of the last one. */
  #takeLine(line: string): boolean {
    switch (this.#state) {
      case 'size': {
        const [, size] = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line) ?? [];
        if (size === undefined) throw badChunk();
        this.#left = Number.parseInt(size, 16);
        this.#state = this.#left === 0 ? 'trailer' : 'data';
        return false;
      }
      case 'dataEnd':
        if (line !== '') throw badChunk();
        this.#state = 'size';
        return false;
      default:
        if (line === '') return true;
        this.#trailers += 1;
        if (this.#trailers > MOST_TRAILERS) throw badChunk();
        return false;
    }
  }
}

function badChunk(): HttpProtocolError {
  return new HttpProtocolError('the server sent a chunk that is none');
}
