import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LogLines } from './log-lines.ts';

function linesOf(chunks: readonly Uint8Array[], maxCharacters = 1000): string[] {
  const lines: string[] = [];
  const splitter = new LogLines((line) => lines.push(line), maxCharacters);
  for (const chunk of chunks) splitter.write(Buffer.from(chunk));
  splitter.end();
  return lines;
}

test('lines are the same however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), fc.array(fc.nat(50)), (texts, cuts) => {
      const text = texts.join('\n');
      const bytes = Buffer.from(text);
      const chunks: Buffer[] = [];
      let start = 0;
      for (const cut of cuts) {
        chunks.push(bytes.subarray(start, start + cut));
        start += cut;
      }
      chunks.push(bytes.subarray(start));
      const want = bytes.toString().split('\n');
      if (want.at(-1) === '') want.pop();
      expect(linesOf(chunks)).toEqual(want);
    }),
  );
});

test('a line that is too long comes in pieces, in order and whole', () => {
  const lines = linesOf([Buffer.from('first\n' + 'x'.repeat(25) + 'y\nlast')], 10);
  expect(lines).toEqual(['first', 'x'.repeat(10), 'x'.repeat(10), 'xxxxxy', 'last']);
});

test('a line without an end fills no memory', () => {
  const lines: number[] = [];
  const splitter = new LogLines((line) => lines.push(line.length), 10);
  for (let i = 0; i < 100; i += 1) splitter.write(Buffer.from('x'.repeat(7)));
  expect(lines).toEqual(Array(69).fill(10));
});
