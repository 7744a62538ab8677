import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** What identifies a model file. */
export interface FileDigest {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Reads the whole file, a mebibyte at a time. Rejects with Node's error if it cannot be read, with the signal's reason if that aborts. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<FileDigest> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    signal?.throwIfAborted();
    hash.update(chunk);
    sizeBytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
