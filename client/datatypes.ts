/** How each datatype of fixed size lies in memory: as the protocol's bytes do, on the little-endian machines that there are. */
import type { Datatype, Shape } from './tensors.ts';

export type FixedDatatype = Exclude<Datatype, 'BYTES'>;

export const TYPED_ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  BF16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

/** By the name that an array has in every realm: `instanceof` would refuse those of another frame. */
const DATATYPE_OF_ARRAY: Readonly<Record<string, FixedDatatype>> = {
  Uint8Array: 'UINT8',
  Uint16Array: 'UINT16',
  Uint32Array: 'UINT32',
  BigUint64Array: 'UINT64',
  Int8Array: 'INT8',
  Int16Array: 'INT16',
  Int32Array: 'INT32',
  BigInt64Array: 'INT64',
  Float16Array: 'FP16',
  Float32Array: 'FP32',
  Float64Array: 'FP64',
};

/** `Float32Array`, `Array`, `Object`, … */
export function kindOf(data: unknown): string {
  return Object.prototype.toString.call(data).slice('[object '.length, -1);
}

/** What an array is where nothing is said; undefined for what is no tensor's, an empty plain array included. */
export function datatypeOf(data: unknown): Datatype | undefined {
  if (!Array.isArray(data)) return DATATYPE_OF_ARRAY[kindOf(data)];
  const first: unknown = data[0];
  if (typeof first === 'boolean') return 'BOOL';
  return typeof first === 'string' || kindOf(first) === 'Uint8Array' ? 'BYTES' : undefined;
}

export function isDatatype(name: unknown): name is Datatype {
  return name === 'BYTES' || (typeof name === 'string' && Object.hasOwn(TYPED_ARRAYS, name));
}

export function elementCount(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
