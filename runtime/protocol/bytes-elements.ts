/** The binary form of BYTES elements: each is its length as four little-endian bytes, then that many bytes. */
import { ProtocolError } from './protocol-error.ts';

/** Elements of BYTES in one tensor: each costs about 100 bytes of memory whatever its length, so 64 MiB of empty ones would cost 1.6 GiB. */
export const MAX_BYTES_ELEMENTS = 1_000_000;

const LENGTH_BYTES = 4;

/** Views of the elements. Throws ProtocolError if the bytes are not exactly `count` elements; `what` begins that sentence. */
export function decodeBytesElements(what: string, bytes: Buffer, count: number): Uint8Array[] {
  const elements: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length && elements.length < count) {
    const start = offset + LENGTH_BYTES;
    const end = start <= bytes.length ? start + bytes.readUInt32LE(offset) : Infinity;
    if (end > bytes.length) {
      throw new ProtocolError(`${what}: element ${elements.length} goes past the end of the tensor's bytes.`);
    }
    elements.push(bytes.subarray(start, end));
    offset = end;
  }
  if (elements.length < count || offset < bytes.length) {
    const more = offset < bytes.length ? 'more' : `only ${elements.length}`;
    throw new ProtocolError(`${what}: its shape has ${count} elements, but its bytes hold ${more}.`);
  }
  return elements;
}

export function encodeBytesElements(elements: readonly Uint8Array[]): Buffer {
  const total = elements.reduce((sum, element) => sum + LENGTH_BYTES + element.length, 0);
  const bytes = Buffer.allocUnsafe(total);
  let offset = 0;
  for (const element of elements) {
    offset = bytes.writeUInt32LE(element.length, offset);
    bytes.set(element, offset);
    offset += element.length;
  }
  return bytes;
}
