/** Messages that their sender compressed. gRPC's "deflate" is the zlib format. */
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

export const ENCODINGS = 'identity,deflate,gzip';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) };

/** Rejects with ProtocolError for what is not compressed so, or has more than `limit` bytes. */
export async function decompress(bytes: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    const named = encoding === undefined ? 'no grpc-encoding' : `grpc-encoding ${quote(encoding)}`;
    throw new ProtocolError(`A message is compressed, with ${named}; ${ENCODINGS} are understood.`, 501);
  }
  try {
    return await DECODERS[encoding](bytes, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new ProtocolError(`The message has more than ${limit} bytes when it is decompressed.`, 413);
    }
    throw new ProtocolError(`The message is not valid ${encoding}.`);
  }
}
