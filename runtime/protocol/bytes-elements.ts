/**
 * BYTES elements in one buffer, each after its length as four little-endian bytes: the protocol's binary form, and how every tensor of BYTES lies in
 * memory here. An array of views would take 100 bytes more for each element, however short: 64 MiB of empty ones 1.6 GiB.
 */
import { ProtocolError } from './protocol-error.ts';

/** Elements of BYTES in one tensor. In ONNX Runtime each is a string of its own, which takes memory whatever its length. */
export const MAX_BYTES_ELEMENTS = 1_000_000;

export const LENGTH_BYTES = 4;

/** Throws ProtocolError if the bytes are not exactly `count` elements; `what` begins that sentence. */
export function checkBytesElements(what: string, bytes: Buffer, count: number): void {
  let offset = 0;
  let found = 0;
  while (offset < bytes.length && found < count) {
    const start = offset + LENGTH_BYTES;
    offset = start <= bytes.length ? start + bytes.readUInt32LE(offset) : Infinity;
    if (offset > bytes.length) {
      throw new ProtocolError(`${what}: element ${found} goes past the end of the tensor's bytes.`);
    }
    found += 1;
  }
  if (found < count || offset < bytes.length) {
    const more = offset < bytes.length ? 'more' : `only ${found}`;
    throw new ProtocolError(`${what}: its shape has ${count} elements, but its bytes hold ${more}.`);
  }
}

/** The offset behind `count` elements from `offset` on; more than there are bytes where there are fewer elements. */
export function skipBytesElements(packed: Uint8Array, offset: number, count: number): number {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let end = offset;
  for (let skipped = 0; skipped < count; skipped += 1) {
    if (end + LENGTH_BYTES > bytes.length) return Infinity;
    end += LENGTH_BYTES + bytes.readUInt32LE(end);
  }
  return end;
}

export function packBytesElements(elements: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(elements.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  const view = new DataView(packed.buffer);
  let offset = 0;
  for (const element of elements) {
    view.setUint32(offset, element.length, true);
    packed.set(element, offset + LENGTH_BYTES);
    offset += LENGTH_BYTES + element.length;
  }
  return packed;
}

/** The elements as views, for who needs them one by one. */
export function unpackBytesElements(packed: Uint8Array): Buffer[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const elements: Buffer[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const start = offset + LENGTH_BYTES;
    offset = start + bytes.readUInt32LE(offset);
    elements.push(bytes.subarray(start, offset));
  }
  return elements;
}
