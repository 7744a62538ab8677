import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { packBytesElements } from './bytes-elements.ts';
import { packTexts, unpackTexts } from './packed-texts.ts';

const elements = fc.array(
  fc.oneof(
    fc.uint8Array(),
    fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
    fc.constantFrom('', '\ufeffmark', '\ufffd', '\0').map((text) => new TextEncoder().encode(text)),
  ),
);
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Not at the begin of its buffer, as in a batch. */
const behind = (packed: Uint8Array): Uint8Array => new Uint8Array([...Array<number>(8), ...packed]).subarray(8);

const refuse = (index: number): Error => new Error(`no ${index}`);

describe('packed elements', () => {
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
        if (wrong === -1) expect(unpackTexts(behind(packBytesElements(given)), refuse)).toEqual(texts);
        else expect(() => unpackTexts(behind(packBytesElements(given)), refuse)).toThrow(`no ${wrong}`);
      }),
    );
  });

  test('can be texts of any kind', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
        const encoder = new TextEncoder();
        expect(packTexts(texts)).toEqual(packBytesElements(texts.map((text) => encoder.encode(text))));
      }),
    );
  });
});
