/** Whether a file is still the one that it was, by what nobody can set back: its inode and the time of its last change. */
import { statSync, type BigIntStats } from 'node:fs';

export type FileFacts = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** Of what a link leads to: that is what is read, and it may change while the link does not. Throws Node's error if there is none. */
export function factsOf(path: string): FileFacts {
  return statSync(path, { bigint: true });
}

export function isUnchanged(path: string, before: FileFacts): boolean {
  const now = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (now === undefined) return false;
  return (['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const).every((field) => now[field] === before[field]);
}
