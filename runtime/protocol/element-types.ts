/** How each datatype of fixed size lies in memory and what it can hold. Little-endian hosts only, as ONNX Runtime's own binaries are. */
import type { Datatype } from '../inference.ts';

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
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

export const INTEGER_RANGES = {
  UINT8: [0, 2 ** 8 - 1],
  UINT16: [0, 2 ** 16 - 1],
  UINT32: [0, 2 ** 32 - 1],
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  UINT64: [0n, 2n ** 64n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
} as const;

/** The bytes as their elements: a view where they are aligned (a request's body rarely is), a copy elsewhere. */
export function typedElements(datatype: FixedDatatype, bytes: Uint8Array): NodeJS.TypedArray {
  const TypedArray = TYPED_ARRAYS[datatype];
  const aligned = bytes.byteOffset % TypedArray.BYTES_PER_ELEMENT === 0 ? bytes : Uint8Array.from(bytes);
  return new TypedArray(
    aligned.buffer as ArrayBuffer,
    aligned.byteOffset,
    aligned.byteLength / TypedArray.BYTES_PER_ELEMENT,
  );
}
