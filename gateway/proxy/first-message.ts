/** Whether the first message of a gRPC call is whole: a byte, its length in four, and that many. Pure. */

const PREFIX_BYTES = 5;

export function hasFirstMessage(bytes: Buffer): boolean {
  return bytes.length >= PREFIX_BYTES && bytes.length >= PREFIX_BYTES + bytes.readUInt32BE(1);
}
