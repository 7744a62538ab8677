/** Makes up inputs for a model's first runs: the same ones each time, small, and with rows that differ from one another. */
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { viewElements } from './data-types.ts';
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

/** Elements of all inputs together beyond which a trial is too large to be worth its memory: 128 MiB of 8-byte numbers. */
const MAXIMUM_ELEMENTS = 1 << 24;

/** Inputs with `rows` rows along the dimension `batch`; undefined if they would be too large. */
export function makeTrialInputs(
  declared: readonly DeclaredTensor[],
  { freeSize, limit }: Trial,
  rows: number,
  batch: string | undefined,
): Tensor[] | undefined {
  let total = 0;
  const shapes = declared.map(({ shape }) => {
    const sizes = shape.map((size) => (typeof size === 'number' ? size : size === batch ? rows : freeSize));
    total += elementCount(sizes);
    return sizes;
  });
  if (total > MAXIMUM_ELEMENTS) return undefined;
  return declared.map(({ name, datatype }, index) => {
    const shape = shapes[index] ?? [];
    return {
      name,
      datatype,
      shape,
      data: makeElements(datatype, elementCount(shape), shape[0] ?? 1, limit, index + 1),
    };
  });
}

export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (const size of shape) count *= size;
  return count;
}

function makeElements(datatype: Datatype, count: number, rows: number, limit: number, seed: number): Tensor['data'] {
  const random = makeRandom(seed);
  const rowLength = count / rows;
  // The first element of each row is the row's own number, or two rows of one small whole number each could be alike.
  const numbers = Array.from({ length: count }, (_, index) =>
    index % rowLength === 0 ? (index / rowLength) % limit : random() % limit,
  );
  if (datatype === 'BYTES') return numbers.map((number) => Buffer.from(String(number)));
  const bytes = new Uint8Array(count * DATATYPE_BYTES[datatype]);
  const elements = viewElements(datatype, bytes);
  for (const [index, number] of numbers.entries()) {
    if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) elements[index] = BigInt(number);
    else elements[index] = encodeNumber(datatype, number, limit);
  }
  return bytes;
}

function encodeNumber(datatype: Datatype, number: number, limit: number): number {
  switch (datatype) {
    case 'BOOL':
      return number & 1;
    case 'FP16':
      return HALVES[number % HALVES.length] ?? 0;
    case 'FP32':
    case 'FP64':
      // From -1 to 1, as most models expect of their features.
      return limit === 2 ? number : (2 * number) / (limit - 1) - 1;
    default:
      return number;
  }
}

/** Bits of the halves 0, 1, -1, 0.5, -0.5, 0.25, -0.25, 0.75. */
const HALVES = [0x0000, 0x3c00, 0xbc00, 0x3800, 0xb800, 0x3400, 0xb400, 0x3a00];

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
