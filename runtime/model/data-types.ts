/** ONNX Runtime's element types by the Open Inference Protocol's datatypes. Types that neither side can carry (bfloat16, int4, complex) are absent. */
import type { Datatype } from '../inference.ts';

export type ElementType = (typeof ELEMENT_TYPES)[Datatype];

export const ELEMENT_TYPES = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<Datatype, string>;

const DATATYPES: ReadonlyMap<string, Datatype> = new Map(
  (Object.keys(ELEMENT_TYPES) as Datatype[]).map((datatype) => [ELEMENT_TYPES[datatype], datatype]),
);

/** The datatype of an element type, or undefined where the protocol has none. */
export function datatypeOf(elementType: string): Datatype | undefined {
  return DATATYPES.get(elementType);
}

/** A typed array over the elements of a tensor that is not BYTES. `bytes` must be aligned to the element's size, 8 at most. */
export function viewElements(
  datatype: Exclude<Datatype, 'BYTES'>,
  bytes: Uint8Array<ArrayBuffer>,
):
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array {
  const { buffer, byteOffset, byteLength } = bytes;
  switch (datatype) {
    case 'BOOL':
    case 'UINT8':
      return bytes;
    case 'INT8':
      return new Int8Array(buffer, byteOffset, byteLength);
    case 'UINT16':
    // As bits: JavaScript has no arithmetic of halves that is needed here.
    case 'FP16':
      return new Uint16Array(buffer, byteOffset, byteLength / 2);
    case 'INT16':
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    case 'UINT32':
      return new Uint32Array(buffer, byteOffset, byteLength / 4);
    case 'INT32':
      return new Int32Array(buffer, byteOffset, byteLength / 4);
    case 'UINT64':
      return new BigUint64Array(buffer, byteOffset, byteLength / 8);
    case 'INT64':
      return new BigInt64Array(buffer, byteOffset, byteLength / 8);
    case 'FP32':
      return new Float32Array(buffer, byteOffset, byteLength / 4);
    case 'FP64':
      return new Float64Array(buffer, byteOffset, byteLength / 8);
  }
}
