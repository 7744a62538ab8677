import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeLine, NdjsonDecoder, NdjsonError } from './ndjson.ts';

/** Everything that the decoder gives for these chunks, and what it threw in the end. */
function decode(chunks: readonly Uint8Array[], maxLineBytes = 1024 * 1024): { messages: unknown[]; error?: unknown } {
  const decoder = new NdjsonDecoder(maxLineBytes);
  const messages: unknown[] = [];
  try {
    for (const chunk of chunks) decoder.push(chunk, (message) => messages.push(message));
  } catch (error) {
    return { messages, error };
  }
  return { messages };
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

const message = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));

describe('NdjsonDecoder', () => {
  test('gives back every message, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, places) => {
        const bytes = Buffer.from(messages.map(encodeLine).join(''));
        expect(decode(cut(bytes, places))).toEqual({ messages: JSON.parse(JSON.stringify(messages)) });
      }),
    );
  });

  test('puts a character back together that arrives byte by byte', () => {
    const bytes = Buffer.from(encodeLine({ text: 'é€😀\uFEFF' }));
    expect(decode(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual({ messages: [{ text: 'é€😀\uFEFF' }] });
  });

  test('keeps an unfinished line to itself', () => {
    expect(decode([Buffer.from('{"a":1}\n{"b":')])).toEqual({ messages: [{ a: 1 }] });
  });

  test.each([
    { name: 'is not JSON', bytes: Buffer.from('{"a":1}\nnonsense\n{"b":2}\n') },
    { name: 'is empty', bytes: Buffer.from('{"a":1}\n\n{"b":2}\n') },
    {
      name: 'is not UTF-8',
      bytes: Buffer.concat([Buffer.from('{"a":1}\n"'), Uint8Array.of(0xc3, 0x28), Buffer.from('"\n')]),
    },
  ])('throws at a line that $name, after the messages before it', ({ bytes }) => {
    expect(decode([bytes])).toEqual({ messages: [{ a: 1 }], error: expect.any(NdjsonError) });
  });

  test('takes a line of exactly the limit and refuses one byte more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 200 }), fc.array(fc.nat(), { maxLength: 10 }), (length, places) => {
        const line = Buffer.from(`"${'x'.repeat(length - 2)}"\n`);
        expect(decode(cut(line, places), length).error).toBeUndefined();
        expect(decode(cut(line, places), length - 1).error).toBeInstanceOf(NdjsonError);
      }),
    );
  });

  test('refuses a line that never ends as soon as it is over the limit', () => {
    const chunk = Buffer.alloc(64, 'x');
    const decoder = new NdjsonDecoder(128);
    const push = (): void => decoder.push(chunk, () => undefined);
    push();
    push();
    expect(push).toThrow('longer than 128 bytes');
  });
});
