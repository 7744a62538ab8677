/**
 * A tensor's elements from their JSON. What JSON cannot say is said as in protobuf's JSON mapping: "NaN", "Infinity" and "-Infinity" are strings.
 * 64-bit integers are exact over their whole range, if the text was parsed with parseJson.
 */
import type { Datatype } from '../inference.ts';
import { MAX_BYTES_ELEMENTS } from './bytes-elements.ts';
import { INTEGER_RANGES, TYPED_ARRAYS } from './element-types.ts';
import { longInteger } from '../../common/text/long-integers.ts';
import { packTexts } from './packed-texts.ts';
import { describe, ProtocolError } from './protocol-error.ts';

const NOT_FINITE = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);

/**
 * The `count` elements of `shape` from `data`, which may be flat or nested as the shape says. Throws ProtocolError; `what` begins its sentence.
 * Memory is taken only for elements that are there: a shape is a few characters, whatever the number it promises.
 */
export function decodeJsonElements(
  what: string,
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  data: unknown,
): Uint8Array {
  if (!Array.isArray(data)) throw new ProtocolError(`${what}: data must be an array but is ${describe(data)}.`);
  const rows: (readonly unknown[])[] = [];
  if (shape.length > 1 && Array.isArray(data[0])) collectRows(what, shape, data, 0, rows);
  else if (data.length === count) rows.push(data);
  else throw wrongLength(what, shape, data.length, count);

  if (datatype === 'BYTES') return decodeStrings(what, count, rows);
  const elements = new TYPED_ARRAYS[datatype](count);
  const convert = converter(datatype);
  // One loop for all datatypes: the converter gives a BigInt exactly where the array takes one.
  const target = elements as unknown as Record<number, number | bigint>;
  let index = 0;
  for (const row of rows) {
    for (const value of row) {
      const converted = convert(value);
      if (converted === undefined) throw wrongElement(what, index, expected(datatype), value);
      target[index++] = converted;
    }
  }
  return new Uint8Array(elements.buffer);
}

/** Appends the innermost arrays in order; each level must be as long as its dimension. */
function collectRows(
  what: string,
  shape: readonly number[],
  level: readonly unknown[],
  depth: number,
  rows: (readonly unknown[])[],
): void {
  const dimension = shape[depth] ?? 0;
  if (level.length !== dimension) throw wrongLength(what, shape, level.length, dimension, depth);
  if (depth === shape.length - 1) {
    rows.push(level);
    return;
  }
  for (const part of level) {
    if (!Array.isArray(part)) {
      throw new ProtocolError(`${what}: data must be flat or nested ${shape.length} deep, not a mixture.`);
    }
    collectRows(what, shape, part, depth + 1, rows);
  }
}

function decodeStrings(what: string, count: number, rows: readonly (readonly unknown[])[]): Uint8Array {
  if (count > MAX_BYTES_ELEMENTS) {
    throw new ProtocolError(`${what}: ${count} elements are too many; BYTES may have ${MAX_BYTES_ELEMENTS}.`, 413);
  }
  const texts: string[] = [];
  for (const row of rows) {
    for (const value of row) {
      if (typeof value !== 'string') throw wrongElement(what, texts.length, 'a string', value);
      texts.push(value);
    }
  }
  return packTexts(texts);
}

/** What makes an element of a JSON value, undefined where the datatype cannot hold it. */
function converter(datatype: Exclude<Datatype, 'BYTES'>): (value: unknown) => number | bigint | undefined {
  switch (datatype) {
    case 'BOOL':
      return (value) => (typeof value === 'boolean' ? Number(value) : undefined);
    case 'FP16':
      return floatConverter(Math.f16round);
    case 'FP32':
      return floatConverter(Math.fround);
    case 'FP64':
      return floatConverter((value) => value);
    case 'INT64':
    case 'UINT64': {
      const [minimum, maximum] = INTEGER_RANGES[datatype];
      return (value) => {
        // A Number beyond 2^53 was written with a fraction or an exponent: which integer it meant cannot be known.
        const integer = Number.isSafeInteger(value) ? BigInt(value as number) : longInteger(value);
        return integer !== undefined && integer >= minimum && integer <= maximum ? integer : undefined;
      };
    }
    default: {
      const [minimum, maximum] = INTEGER_RANGES[datatype];
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
          ? value
          : undefined;
    }
  }
}

function floatConverter(round: (value: number) => number): (value: unknown) => number | undefined {
  return (value) => {
    if (typeof value === 'string') return NOT_FINITE.get(value);
    // Beside a 64-bit tensor every long integer is wrapped, whichever tensor it stands in.
    const number = typeof value === 'number' ? value : Number(longInteger(value));
    return Number.isFinite(round(number)) ? number : undefined;
  };
}

function expected(datatype: Exclude<Datatype, 'BYTES'>): string {
  switch (datatype) {
    case 'BOOL':
      return 'true or false';
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return `a number within ${datatype}, "NaN", "Infinity" or "-Infinity"`;
    default: {
      const [minimum, maximum] = INTEGER_RANGES[datatype];
      return `an integer from ${minimum} to ${maximum}`;
    }
  }
}

function wrongElement(what: string, index: number, wanted: string, value: unknown): ProtocolError {
  return new ProtocolError(`${what}: element ${index} must be ${wanted} but is ${describe(value)}.`);
}

function wrongLength(
  what: string,
  shape: readonly number[],
  found: number,
  wanted: number,
  dimension?: number,
): ProtocolError {
  const where = dimension === undefined ? '' : ` in dimension ${dimension}`;
  return new ProtocolError(
    `${what}: data has ${found} elements${where} where its shape [${shape.join(', ')}] has ${wanted}.`,
  );
}
