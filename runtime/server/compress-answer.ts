/** Compresses an answer's body where the client takes it and it pays. The work is done on Node's pool of threads. */
import { promisify } from 'node:util';
import { chooseCoding, type Coding } from './content-coding.ts';

/** Smaller answers fit into a few packets: compressing them would cost more time than it saves. */
export const LEAST_BYTES = 16 * 1024;

/** Of zlib's levels the fastest: it gains a third of the higher ones' time for a tenth of their size on numbers as text. */
const LEVEL = 1;

/** Tensors rarely compress: floats keep 92 %. A few bytes from the middle tell at a hundredth of the cost. */
const SAMPLE_BYTES = 4 * 1024;
const WORTHWHILE = 0.8;

export interface CompressedAnswer {
  readonly body: Buffer;
  readonly coding: Coding;
}

/** Undefined where the body should go as it is. */
export async function compressAnswer(
  acceptEncoding: string,
  body: Buffer,
  isJson: boolean,
): Promise<CompressedAnswer | undefined> {
  if (body.length < LEAST_BYTES) return undefined;
  const coding = chooseCoding(acceptEncoding);
  if (coding === undefined) return undefined;
  // Loaded when the first client asks for it.
  const zlib = await import('node:zlib');
  if (!isJson) {
    const middle = Math.floor((body.length - SAMPLE_BYTES) / 2);
    const sample = body.subarray(middle, middle + SAMPLE_BYTES);
    if (zlib.deflateRawSync(sample, { level: LEVEL }).length > WORTHWHILE * SAMPLE_BYTES) return undefined;
  }
  const compress = promisify(coding === 'gzip' ? zlib.gzip : zlib.deflate);
  return { body: await compress(body, { level: LEVEL }), coding };
}
