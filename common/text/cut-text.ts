/** As much of a text as fits into so many bytes of UTF-8, without half a character; `mark` ends one that was cut. */
export function cutText(text: string, mostBytes: number, mark = ''): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= mostBytes) return text;
  let end = mostBytes - Buffer.byteLength(mark);
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end) + mark;
}
