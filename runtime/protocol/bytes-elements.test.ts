import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkBytesElements, packBytesElements, skipBytesElements, unpackBytesElements } from './bytes-elements.ts';

const elements = fc.array(fc.uint8Array({ maxLength: 300 }));

describe('packed elements', () => {
  test('are what was packed, and end where they end', () => {
    fc.assert(
      fc.property(elements, fc.nat(), (given, any) => {
        const packed = packBytesElements(given);
        expect(unpackBytesElements(packed).map((element) => [...element])).toEqual(
          given.map((element) => [...element]),
        );
        const count = any % (given.length + 1);
        const start = packBytesElements(given.slice(0, count)).length;
        expect(skipBytesElements(packed, 0, count)).toBe(start);
        expect(skipBytesElements(packed, start, given.length - count)).toBe(packed.length);
        expect(skipBytesElements(packed, start, given.length - count + 1)).toBe(Infinity);
        expect(() => checkBytesElements('x', Buffer.from(packed), given.length)).not.toThrow();
      }),
    );
  });

  test('are refused where they are more, fewer or cut', () => {
    fc.assert(
      fc.property(elements, (given) => {
        const packed = Buffer.from(packBytesElements(given));
        expect(() => checkBytesElements('x', packed, given.length + 1)).toThrow('its bytes hold only');
        if (given.length === 0) return;
        expect(() => checkBytesElements('x', packed, given.length - 1)).toThrow('its bytes hold more');
        expect(() => checkBytesElements('x', packed.subarray(0, -1), given.length)).toThrow('past the end');
      }),
    );
  });
});
