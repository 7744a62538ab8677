/** Makes up inputs for a model's first runs: the same ones each time, small, and with rows that differ from one another. */
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';
import { typedElements } from '../protocol/element-types.ts';
import { packTexts } from '../protocol/packed-texts.ts';
import type { DeclaredTensor } from './declared-tensor.ts';

export interface Trial {
  /** Size of every free dimension that is not the batch. */
  readonly freeSize: number;
  /** Whole numbers are smaller than this, so that they can be an index of something this long. Floats are 0 or 1 if it is 2. */
  readonly limit: number;
}

const SIZES = [8, 1, 64, 224, 512];

/**
 * What to try, in this order, until a run succeeds. Numbers below 16 first, as they tell rows apart best; then 0 and 1, which are an index even of the
 * smallest table; then sizes that images, audio and single steps need.
 */
export const TRIALS: readonly Trial[] = [
  { freeSize: 8, limit: 16 },
  ...SIZES.map((freeSize) => ({ freeSize, limit: 2 })),
];

/** Elements of all inputs together beyond which a guessed size is not worth its memory: 128 MiB of 8-byte numbers. */
export const MAXIMUM_ELEMENTS = 1 << 24;

/** Bytes beyond which no request could bring what the model declares: no body may be longer. */
const MAXIMUM_BYTES = 2 ** 31;

/** An element of BYTES takes the memory of so many bytes of numbers. */
const TEXT_BYTES = 48;

/** Inputs with `rows` rows along the dimension `batch`; undefined if the guessed sizes make them too large, they have more than `mostBytes`, or no request could be as large. */
export function makeTrialInputs(
  declared: readonly DeclaredTensor[],
  { freeSize, limit }: Trial,
  rows: number,
  batch: string | undefined,
  mostBytes = MAXIMUM_BYTES,
): Tensor[] | undefined {
  let guessed = 0;
  let bytes = 0;
  const shapes = declared.map(({ shape: given, isAnyShape, datatype }) => {
    // Rows of features are the likeliest.
    const shape = isAnyShape === true ? [1, ''] : given;
    const sizes = shape.map((size) => (typeof size === 'number' ? size : size === batch ? rows : freeSize));
    if (shape.some((size) => typeof size === 'string' && size !== batch)) guessed += elementCount(sizes);
    bytes += elementCount(sizes) * (DATATYPE_BYTES[datatype] ?? TEXT_BYTES);
    return sizes;
  });
  if (guessed > MAXIMUM_ELEMENTS || bytes > Math.min(mostBytes, MAXIMUM_BYTES)) return undefined;
  return declared.map(({ name, datatype }, index) => {
    const shape = shapes[index] ?? [];
    return { name, datatype, shape, data: makeElements(datatype, shape, limit, index + 1) };
  });
}

/** Random numbers are repeated after this many: a prime, so that rows, which are rarely a multiple of it, begin at different places. */
const PERIOD = 4093;

function makeElements(datatype: Datatype, shape: readonly number[], limit: number, seed: number): Uint8Array {
  const count = elementCount(shape);
  const random = makeRandom(seed);
  // A row begins with its own number, or two rows of one small number each could be alike.
  const rows = count === 0 ? 0 : (shape[0] ?? 1);
  const rowLength = count / rows;
  if (datatype === 'BYTES') {
    const number = (place: number): number => (place % rowLength === 0 ? place / rowLength : random()) % limit;
    return packTexts(Array.from({ length: count }, (_, place) => String(number(place))));
  }
  const bytes = new Uint8Array(count * DATATYPE_BYTES[datatype]);
  const elements = typedElements(datatype, bytes);
  const encode = encoder(datatype, limit);
  const put = (place: number, number: number): void => {
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) elements[place] = BigInt(number);
    else elements[place] = encode(number);
  };
  for (let place = 0; place < count && place < PERIOD; place += 1) put(place, random() % limit);
  repeat(elements);
  for (let row = 0; row < rows; row += 1) put(row * rowLength, row % limit);
  for (let row = 0; row < rows && row < VARIED_ROWS; row += 1) {
    vary(elements.subarray(row * rowLength, (row + 1) * rowLength), datatype, row, limit);
  }
  return bytes;
}

/** Fills the elements with copies of the first `PERIOD` of them: a start has no time for a loop over millions. */
function repeat(elements: NodeJS.TypedArray): void {
  for (let filled = PERIOD; filled < elements.length; filled *= 2) elements.copyWithin(filled, 0, filled);
}

/** As many as the trial takes. Those that only show how long a run takes may all be of one kind. */
const VARIED_ROWS = 3;

/**
 * Gives rows another range and sign, so that what is taken over the whole batch is not what it is for a row alone: the scale of a quantisation, which
 * of hundreds of numbers from -1 to 1 is the same for every row, or a branch that the sum chooses. Floats of row 0 become positive, so that a root or
 * a logarithm is a number there, those of row 1 negative and half as large, those of row 2 a quarter as large.
 */
function vary(row: NodeJS.TypedArray, datatype: Datatype, index: number, limit: number): void {
  const isFloat = datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
  if (!isFloat && (datatype === 'BOOL' || limit === 2)) return;
  const varied = (value: number): number =>
    index === 0 ? Math.abs(value) : index === 1 ? -Math.abs(value) / 2 : value / 4;
  for (let place = 0; place < row.length && place < PERIOD; place += 1) {
    const value = row[place] ?? 0;
    row[place] = typeof value === 'bigint' ? value >> BigInt(index) : isFloat ? varied(value) : value >> index;
  }
  repeat(row);
}

function encoder(datatype: Exclude<Datatype, 'BYTES'>, limit: number): (number: number) => number {
  switch (datatype) {
    case 'BOOL':
      return (number) => number & 1;
    case 'FP16':
    case 'FP32':
    case 'FP64':
      // From -1 to 1, as most models expect of their features.
      return limit === 2 ? (number) => number : (number) => (2 * number) / (limit - 1) - 1;
    default:
      return (number) => number;
  }
}

/** xorshift32 (Marsaglia, 2003): 32-bit whole numbers, the same for the same seed. */
function makeRandom(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}
