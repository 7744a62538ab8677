/**
 * One model in the cache: `sha256/<digest>` is its file, or a folder if it has several, and `entries/<digest>.json` says what is in it. Each file's inode,
 * size and times of change are kept there: as long as they are the same nobody has written to the file since it was hashed (its ctime cannot be set),
 * so that a model of 10 GB is not read again at each start. Anything else is hashed again.
 */
import { lstat, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { hashFile, type FileDigest } from '../hash-file.ts';
import { replaceFile } from './replace-file.ts';

export interface EntryFile {
  /** Below the folder; empty if the entry is a single file. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface Entry {
  /** What pins the model, and how much it is. */
  readonly digest: FileDigest;
  /** Path of the ONNX file below the folder; empty if the entry is a single file. */
  readonly model: string;
  readonly files: readonly EntryFile[];
}

interface Recorded extends Entry {
  readonly fingerprints: readonly string[];
}

export async function writeEntry(directory: string, entry: Entry): Promise<void> {
  const { sha256 } = entry.digest;
  const paths = entry.files.map(({ path }) => join(directory, 'sha256', sha256, path));
  const fingerprints = await Promise.all(paths.map(fingerprint));
  await replaceFile(recordPath(directory, sha256), JSON.stringify({ ...entry, fingerprints } satisfies Recorded));
}

/** The entry, if it is there and whole; a damaged one is removed. Marks it as used now. */
export async function readEntry(
  directory: string,
  sha256: string,
  now: number,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const path = recordPath(directory, sha256);
  for (let text = await readText(path); text !== undefined;) {
    try {
      const entry = JSON.parse(text) as Recorded;
      let isRecorded = true;
      for (const [index, file] of entry.files.entries()) {
        const place = join(directory, 'sha256', sha256, file.path);
        if ((await fingerprint(place)) === entry.fingerprints[index]) continue;
        isRecorded = false;
        if ((await hashFile(place, signal)).sha256 !== file.sha256) throw new Error('damaged');
      }
      if (!isRecorded) await writeEntry(directory, entry);
      await utimes(path, now / 1000, now / 1000);
      return entry;
    } catch {
      signal.throwIfAborted();
      // While it was read, another process may have put it right.
      const latest = await readText(path);
      if (latest === text) await removeEntry(directory, sha256);
      text = latest === text ? undefined : latest;
    }
  }
  return undefined;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/**
 * Removes the entry unless `isHeld`: whoever takes it says so first and reads the record then, so the record goes first, and comes back if somebody has
 * just said so.
 */
export async function evictEntry(directory: string, sha256: string, isHeld: () => Promise<boolean>): Promise<void> {
  const path = recordPath(directory, sha256);
  const text = await readText(path);
  await rm(path, { force: true });
  if (!(await isHeld())) await removeEntry(directory, sha256);
  else if (text !== undefined) await replaceFile(path, text);
}

/** The record first: what has none is no entry. */
async function removeEntry(directory: string, sha256: string): Promise<void> {
  await rm(recordPath(directory, sha256), { force: true });
  await rm(join(directory, 'sha256', sha256), { recursive: true, force: true });
}

export function recordPath(directory: string, sha256: string): string {
  return join(directory, 'entries', `${sha256}.json`);
}

/** Not of what a link leads to: the cache has none. */
async function fingerprint(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs, mode } = await lstat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs, mode].join(' ');
}
