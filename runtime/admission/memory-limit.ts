/** What requests may take together of the memory of their pod, so that it refuses some of them instead of ending with all. */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

/** The rest is for garbage that is not collected yet, and what the process takes without any request. */
const SHARE = 0.75;

/** Small requests are served even where the model leaves next to nothing. */
const LEAST_BYTES = 8 * 1024 * 1024;

/** `limit` is the container's, absent where it has none. */
export function memoryLimit(limit: number | undefined, machine: number, used: number): number {
  return Math.max(LEAST_BYTES, Math.floor(SHARE * (Math.min(limit ?? Infinity, machine) - used)));
}

/** Of this process, as it is now. */
export function measureMemoryLimit(): number {
  // 0 where nobody knows, and more than any machine has where there is none.
  const limit = process.constrainedMemory();
  return memoryLimit(limit === 0 ? undefined : limit, totalmem(), unevictableBytes());
}

/** Pages of files, such as weights that are mapped, are left out: the kernel takes them back when memory is short. */
function unevictableBytes(): number {
  try {
    const [, kibibytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.memoryUsage.rss();
}
