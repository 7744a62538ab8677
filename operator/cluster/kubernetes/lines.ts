/** Splits a byte stream into its lines; a line may come in many chunks, and a chunk may hold many lines. */

export class LineTooLong extends Error {}

/** Yields each line without its newline. What follows the last newline is left out: its sender was cut off. Throws LineTooLong. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const take = (end: Uint8Array): string => {
    const line = parts.length === 0 ? end : Buffer.concat([...parts, end]);
    parts = [];
    size = 0;
    return Buffer.from(line.buffer, line.byteOffset, line.byteLength).toString('utf8');
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (;;) {
      const newline = chunk.indexOf(0x0a, start);
      const end = newline === -1 ? chunk.length : newline;
      if (size + end - start > maxBytes) throw new LineTooLong(`A line has more than ${maxBytes} bytes`);
      if (newline === -1) break;
      yield take(chunk.subarray(start, newline));
      start = newline + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
    }
  }
}
