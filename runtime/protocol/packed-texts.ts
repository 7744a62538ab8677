/** BYTES elements (see bytes-elements.ts) as the texts that ONNX Runtime has for them, without an array for each: a million of them took 1.5 GB. */
import { isUtf8 } from 'node:buffer';
import { LENGTH_BYTES } from './bytes-elements.ts';

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
