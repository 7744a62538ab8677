/** Whether the first message of a gRPC call is whole: a byte, its length in four, and that many. Pure. */
import type { HeldBody } from './held-body.ts';

const PREFIX_BYTES = 5;

export function hasFirstMessage(body: HeldBody): boolean {
  return body.length >= PREFIX_BYTES && body.length >= PREFIX_BYTES + body.head(PREFIX_BYTES).readUInt32BE(1);
}
