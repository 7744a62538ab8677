/** ONNX Runtime's element types by the Open Inference Protocol's datatypes. Types that neither side can carry (bfloat16, int4, complex) are absent. */
import type { Datatype } from '../inference.ts';

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
