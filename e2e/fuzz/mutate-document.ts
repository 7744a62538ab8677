/** A JSON document with something in it replaced, removed, doubled or renamed, by what servers are known to trip over. */
import type { Random } from './random.ts';

/** Written into the text as they are, because no JSON library writes all of them. */
const HOSTILE = [
  'null', 'true', 'false', '0', '-0', '-1', '1', '1.5', '1e400', '-1e400', '1e-400', '2147483648', '4294967296', '9007199254740993',
  '9223372036854775808', '18446744073709551616', '-9223372036854775809', '1000000000', '123456789012345678901234567890',
  'NaN', 'Infinity', '-Infinity', '"NaN"', '"Infinity"', '""', '"\\u0000"', '"\\ud800"', '"__proto__"', '"constructor"', '"FP32"', '"INT64"',
  '"BYTES"', '"BF16"', '"BOOL"', '[]', '{}', '[[]]', '[[[[[[[[]]]]]]]]', '[null]', '[1,[2]]', '{"__proto__":{"x":1}}', '{"toString":1}',
  '[1000000000,1000000000]', '[-1]', '[0]', '[2147483647,2147483647]', '[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]',
  '0x10', '01', '+1', '.5', '1.', "'x'", 'undefined', '"unterminated', '{', ']', '\u0000',
]; // prettier-ignore

const KEYS = [
  'id', 'parameters', 'inputs', 'outputs', 'name', 'shape', 'datatype', 'data', 'binary_data', 'binary_data_size', 'binary_data_output',
  'classification', 'priority', 'timeout', 'sequence_id', 'sequence_start', 'shared_memory_region', '__proto__', 'constructor', 'hasOwnProperty',
  '', 'x'.repeat(300),
]; // prettier-ignore

/** The document's text after so many changes. */
export function mutateDocument(document: unknown, random: Random, changes: number): string {
  let text = JSON.stringify(document);
  for (let change = 0; change < changes; change += 1) text = changeOnce(text, random);
  return text;
}

function changeOnce(text: string, random: Random): string {
  // Where a value or a key is; texts with escapes need not be found whole.
  const tokens = [...text.matchAll(/"[^"]*"|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null|\[|\{/gi)];
  const token = tokens.length === 0 ? undefined : random.pick(tokens);
  const at = token?.index ?? random.below(text.length + 1);
  const end = at + (token === undefined ? 0 : valueLength(text, at, token[0]));
  const isKey = text[end] === ':';
  const replacement = isKey ? JSON.stringify(random.pick(KEYS)) : random.pick(HOSTILE);
  switch (random.below(6)) {
    case 0:
    case 1:
    case 2:
      return text.slice(0, at) + replacement + text.slice(end);
    case 3: {
      // The value twice, or the key and something else for it first.
      const doubled = isKey ? `${text.slice(at, end)}:${random.pick(HOSTILE)},` : `${text.slice(at, end)},`;
      return text.slice(0, at) + doubled + text.slice(at);
    }
    case 4:
      return text.slice(0, at) + `${JSON.stringify(random.pick(KEYS))}:${random.pick(HOSTILE)},` + text.slice(at);
    default:
      return text.slice(0, at) + text.slice(end + (text[end] === ',' ? 1 : 0));
  }
}

/** Of a whole array or object, where one begins here. */
function valueLength(text: string, at: number, token: string): number {
  if (token !== '[' && token !== '{') return token.length;
  let depth = 0;
  for (let end = at; end < text.length; end += 1) {
    const character = text[end];
    if (character === '[' || character === '{') depth += 1;
    if ((character === ']' || character === '}') && --depth === 0) return end + 1 - at;
  }
  return token.length;
}
