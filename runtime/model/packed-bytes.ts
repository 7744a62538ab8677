/**
 * BYTES elements in one buffer, each after its length as 4 little-endian bytes: the form that a transfer between threads moves without copying.
 * It happens to be the protocol's own binary form. Texts are read from it and written to it without an array for each: a million of them took 1.5 GB.
 */
import { isUtf8 } from 'node:buffer';

const LENGTH_BYTES = 4;

/** Bytes that the elements take when packed. */
export function packedLength(elements: readonly Uint8Array[]): number {
  let length = 0;
  for (const element of elements) length += LENGTH_BYTES + element.byteLength;
  return length;
}

/** Writes the elements into `target` from `offset` on and returns the offset behind them. */
export function packBytes(elements: readonly Uint8Array[], target: Uint8Array, offset: number): number {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  for (const element of elements) {
    view.setUint32(offset, element.byteLength, true);
    target.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.byteLength;
  }
  return offset;
}

/** The elements as views into `packed`. */
export function unpackBytes(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const elements: Uint8Array[] = [];
  for (let offset = 0; offset < packed.byteLength;) {
    const start = offset + LENGTH_BYTES;
    offset = start + view.getUint32(offset, true);
    elements.push(packed.subarray(start, offset));
  }
  return elements;
}

/** The elements as texts, a byte order mark included. Throws what `refuse` makes of the number of the first that is not UTF-8. */
export function unpackTexts(packed: Uint8Array, refuse: (index: number) => Error): string[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + LENGTH_BYTES;
    offset = start + bytes.readUInt32LE(offset);
    const text = bytes.toString('utf8', start, offset);
    // What stands for bytes that are no text; it can have been sent as such.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, offset))) throw refuse(texts.length);
    texts.push(text);
  }
  return texts;
}

/** The texts as elements in UTF-8. */
export function packTexts(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const text of texts) length += LENGTH_BYTES + Buffer.byteLength(text);
  const packed = new Uint8Array(length);
  const bytes = Buffer.from(packed.buffer);
  let offset = 0;
  for (const text of texts) {
    const written = bytes.write(text, offset + LENGTH_BYTES);
    bytes.writeUInt32LE(written, offset);
    offset += LENGTH_BYTES + written;
  }
  return packed;
}
