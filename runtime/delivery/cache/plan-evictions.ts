/** Decides what goes from a cache that must become smaller: least recently used first, never what a living process uses. */
export interface CacheItem {
  readonly path: string;
  readonly bytes: number;
  /** Milliseconds since the Unix epoch. */
  readonly usedAt: number;
  readonly isHeld: boolean;
}

/** Undefined if all that may go is not enough. */
export function planEvictions(items: readonly CacheItem[], bytesToFree: number): readonly CacheItem[] | undefined {
  const evicted: CacheItem[] = [];
  let freed = 0;
  for (const item of items.filter(({ isHeld }) => !isHeld).sort((a, b) => a.usedAt - b.usedAt)) {
    if (freed >= bytesToFree) break;
    evicted.push(item);
    freed += item.bytes;
  }
  return freed >= bytesToFree ? evicted : undefined;
}
