/** Messages that their sender compressed. gRPC's "deflate" is the zlib format. */
import { createGunzip, createInflate } from 'node:zlib';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { Refused } from '../admission/refused.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

export const ENCODINGS = 'identity,deflate,gzip';

const DECODERS = { gzip: createGunzip, deflate: createInflate };

/** What comes out of zlib at once. */
const PIECE_BYTES = 64 * 1024;

/**
 * `take` is asked for each piece before it is kept: 64 KiB of gzip can be 64 MiB of zeros, and many of them come at once. Rejects with ProtocolError for
 * what is not compressed so, or has more than `limit` bytes, and with Refused when `take` says no.
 */
export async function decompress(
  bytes: Buffer,
  encoding: string | undefined,
  limit: number,
  take: (bytes: number) => boolean,
): Promise<Buffer> {
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    const named = encoding === undefined ? 'no grpc-encoding' : `grpc-encoding ${quote(encoding)}`;
    throw new ProtocolError(`A message is compressed, with ${named}; ${ENCODINGS} are understood.`, 501);
  }
  const decoder = DECODERS[encoding]({ chunkSize: PIECE_BYTES });
  decoder.end(bytes);
  const collected = new ByteCollector();
  try {
    for await (const piece of decoder as AsyncIterable<Buffer>) {
      if (collected.length + piece.length > limit) {
        throw new ProtocolError(`The message has more than ${limit} bytes when it is decompressed.`, 413);
      }
      if (!take(piece.length)) throw new Refused('LimitReached');
      collected.push(piece);
    }
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof Refused) throw error;
    throw new ProtocolError(`The message is not valid ${encoding}.`);
  }
  return collected.bytes;
}
