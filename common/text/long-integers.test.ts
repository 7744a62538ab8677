import fc from 'fast-check';
import { expect, test } from '@jest/globals';
import { longInteger, wrapLongIntegers } from './long-integers.ts';

/** Every value of JSON, with integers of any length. */
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string(),
    fc.constantFrom('1234567890123456789', '\\', '\\"', '",1234567890123456789,"', true, false, null),
    fc.array(tie('value')),
    fc.dictionary(fc.string({ minLength: 1 }), tie('value')),
  ),
})).value;

function write(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return `[${value.map(write).join(' , ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{${Object.entries(value)
      .map(([key, item]) => `${JSON.stringify(key)}:${write(item)}`)
      .join()}}`;
  }
  return JSON.stringify(value);
}

/** What a reviver, which sees the text of each number, makes of it. */
function expected(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
    typeof value === 'number' && /^-?\d{16,20}$/.test(context?.source ?? '') ? BigInt(context?.source ?? '') : value,
  );
}

function unwrapped(value: unknown): unknown {
  const long = longInteger(value);
  if (long !== undefined) return long;
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrapped(item)]));
}

test('long integers come through exactly, and everything else as it is', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = write(value);
      expect(unwrapped(JSON.parse(wrapLongIntegers(text)))).toEqual(expected(text));
    }),
    { numRuns: 500 },
  );
});

test('what is not JSON does not become it', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[[\]{},:"\\.e+0-]{0,6}(0?1234567890123456)?[[\]{},:"\\.e+0-]{0,6}$/), (text) => {
      const isJson = (candidate: string): boolean => {
        try {
          JSON.parse(candidate);
          return true;
        } catch {
          return false;
        }
      };
      expect(isJson(wrapLongIntegers(text))).toBe(isJson(text));
    }),
    { numRuns: 2_000 },
  );
});

test.each([[1], [null], ['1234567890123456'], [{}], [{ '': 1 }], [{ '': '12' }], [{ '': 'x'.repeat(16) }], [[]]])(
  '%j is no long integer',
  (value) => {
    expect(longInteger(value)).toBeUndefined();
  },
);
