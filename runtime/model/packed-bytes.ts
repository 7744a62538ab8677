/**
 * BYTES elements in one buffer, each after its length as 4 little-endian bytes: the form that a transfer between threads moves without copying.
 * It happens to be the protocol's own binary form.
 */
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
