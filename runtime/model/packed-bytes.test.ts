import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { packBytes, packedLength, packTexts, unpackBytes, unpackTexts } from './packed-bytes.ts';

const elements = fc.array(
  fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
    fc.constantFrom('', '\ufeffmark', '\ufffd', '\0').map((text) => new TextEncoder().encode(text)),
  ),
);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function pack(given: readonly Uint8Array[]): Uint8Array {
  // Not at the begin of its buffer, as in a batch.
  const packed = new Uint8Array(8 + packedLength(given)).subarray(8);
  packBytes(given, packed, 0);
  return packed;
}

const refuse = (index: number): Error => new Error(`no ${index}`);

describe('packed elements', () => {
  test('are what was packed', () => {
    fc.assert(
      fc.property(elements, (given) => {
        expect(unpackBytes(pack(given)).map((element) => [...element])).toEqual(given.map((element) => [...element]));
      }),
    );
  });

  test('are texts, or the first that is none is refused', () => {
    fc.assert(
      fc.property(elements, (given) => {
        const texts = given.map((element) => {
          try {
            return decoder.decode(element);
          } catch {
            return undefined;
          }
        });
        const wrong = texts.indexOf(undefined);
        if (wrong === -1) expect(unpackTexts(pack(given), refuse)).toEqual(texts);
        else expect(() => unpackTexts(pack(given), refuse)).toThrow(`no ${wrong}`);
      }),
    );
  });

  test('can be texts of any kind', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const encoder = new TextEncoder();
        expect(Buffer.from(packTexts(texts))).toEqual(Buffer.from(pack(texts.map((text) => encoder.encode(text)))));
      }),
    );
  });
});
