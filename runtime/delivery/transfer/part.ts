/** A stretch of a file that one request fetches; what a cut connection left of it is fetched by the next. */
export interface Part {
  readonly start: number;
  /** The first byte behind it; infinite where a server sends all there is without a word of how much. */
  end: number;
  received: number;
}

/** The parts of a file from `start` on. */
export function splitIntoParts(start: number, total: number, partBytes: number): Part[] {
  return Array.from({ length: Math.ceil((total - start) / partBytes) }, (_, index) => {
    const from = start + index * partBytes;
    return { start: from, end: Math.min(total, from + partBytes), received: 0 };
  });
}

/** How far a file, made of these parts in order, is there without a gap. */
export function contiguousEnd(parts: readonly Part[]): number {
  const gap = parts.find(({ start, end, received }) => start + received < end);
  return gap === undefined ? (parts.at(-1)?.end ?? 0) : gap.start + gap.received;
}
