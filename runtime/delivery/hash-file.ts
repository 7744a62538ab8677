import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** What identifies a model file. */
export interface FileDigest {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** Two of them: one is filled while the other is hashed. A stream would make a new one for each read, which costs as much as the read. */
const BUFFER_BYTES = 1 << 20;

/** Reads the whole file. Rejects with Node's error if it cannot be read, with the signal's reason if that aborts. */
export async function hashFile(path: string, signal?: AbortSignal): Promise<FileDigest> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const length = Math.max(1, Math.min(BUFFER_BYTES, size + 1));
  let [filling, other] = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)];
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let next = file.read(filling, 0, length, 0);
  for (;;) {
    const { bytesRead } = await next;
    if (bytesRead === 0) break;
    signal?.throwIfAborted();
    sizeBytes += bytesRead;
    const full = filling;
    [filling, other] = [other, filling];
    next = file.read(filling, 0, length, sizeBytes);
    hash.update(full.subarray(0, bytesRead));
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}
