/** What a server says of the part it sent: `bytes 0-8388607/104857600`. */
export interface ContentRange {
  readonly start: number;
  /** The first byte behind it. */
  readonly end: number;
  readonly total: number;
}

/** Undefined if there is no such thing in it. */
export function parseContentRange(text: string | undefined): ContentRange | undefined {
  const [, first, last, size] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(text ?? '') ?? [];
  if (first === undefined || last === undefined || size === undefined) return undefined;
  const range = { start: Number(first), end: Number(last) + 1, total: Number(size) };
  return range.start < range.end && range.end <= range.total ? range : undefined;
}
