import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LineTooLong, readLines } from './lines.ts';

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
}

async function collect(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(from(chunks), 1_000_000)) lines.push(line);
  return lines;
}

test('gives the same lines however the bytes are cut into chunks', async () => {
  const line = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\n'));
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat(40)), async (lines, sizes) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const chunks: Uint8Array[] = [];
      let start = 0;
      for (const size of sizes) {
        chunks.push(bytes.subarray(start, start + size));
        start += size;
      }
      chunks.push(bytes.subarray(start));
      expect(await collect(chunks)).toEqual(lines);
    }),
  );
});

test('leaves out what follows the last newline: its sender was cut off', async () => {
  expect(await collect([Buffer.from('whole\nhal')])).toEqual(['whole']);
});

test.each([
  ['in one chunk', ['ok\n12345678901\n']],
  ['over many chunks', ['ok\n1234', '56789', '01']],
])('a line over the limit ends the stream: %s', async (_name, chunks) => {
  const lines = readLines(from(chunks.map((it) => Buffer.from(it))), 10);
  expect((await lines.next()).value).toBe('ok');
  await expect(lines.next()).rejects.toThrow(LineTooLong);
});
