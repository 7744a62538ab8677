/**
 * Integers that a Number cannot hold, through JSON.parse, which would round them. Its own way to see a number's text, a reviver, takes 9 s and 2 GB
 * for 16 MiB, and ends at a nesting that JSON.parse itself takes; putting such integers into objects before costs one pass over the text.
 */

/** With fewer digits a Number is exact, and no 64-bit integer has more. */
const LEAST_DIGITS = 16;
const MOST_DIGITS = 20;
const LONG_INTEGER = /^-?[1-9]\d{15,19}$/;

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
const UPPER_E = 0x45;

/** The JSON text with `{"":"9007199254740993"}` for each long integer outside of strings. What was not JSON before is none afterwards. */
export function wrapLongIntegers(text: string): string {
  let wrapped = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(text, at);
    } else if (isDigit(code)) {
      const end = endOfNumber(text, at);
      const isLong = end - at >= LEAST_DIGITS && end - at <= MOST_DIGITS;
      const start = text.charCodeAt(at - 1) === MINUS ? at - 1 : at;
      const number = isLong ? text.slice(start, end) : '';
      if (LONG_INTEGER.test(number)) {
        wrapped += `${text.slice(copied, start)}{"":"${number}"}`;
        copied = end;
      }
      at = end;
    } else {
      at += 1;
    }
  }
  return wrapped + text.slice(copied);
}

/** The integer of a value that `wrapLongIntegers` put into an object; undefined for any other value. */
export function longInteger(value: unknown): bigint | undefined {
  if (typeof value !== 'object' || value === null || !('' in value)) return undefined;
  const text = value[''];
  return typeof text === 'string' && LONG_INTEGER.test(text) ? BigInt(text) : undefined;
}

/** Behind the quote that ends the string which begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** Behind the number's digits, or behind all of it if it has a fraction or an exponent. */
function endOfNumber(text: string, at: number): number {
  let end = at;
  for (;;) {
    const code = text.charCodeAt(end);
    const goesOn =
      isDigit(code) ||
      code === POINT ||
      code === LOWER_E ||
      code === UPPER_E ||
      ((code === PLUS || code === MINUS) && end > at);
    if (!goesOn) return end;
    end += 1;
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}
