/** Which array carries which datatype, in both directions. Types only: what is wrong here does not compile. */

/** `Float16Array` where the platform and the compiler's `lib` know it, nothing elsewhere. */
type Float16 = typeof globalThis extends { readonly Float16Array: { readonly prototype: infer Instance } }
  ? Instance
  : never;

/** What an output of each datatype comes as. */
export interface OutputData {
  /** Bytes of 0 or 1. */
  readonly BOOL: Uint8Array<ArrayBuffer>;
  readonly UINT8: Uint8Array<ArrayBuffer>;
  readonly UINT16: Uint16Array<ArrayBuffer>;
  readonly UINT32: Uint32Array<ArrayBuffer>;
  readonly UINT64: BigUint64Array<ArrayBuffer>;
  readonly INT8: Int8Array<ArrayBuffer>;
  readonly INT16: Int16Array<ArrayBuffer>;
  readonly INT32: Int32Array<ArrayBuffer>;
  readonly INT64: BigInt64Array<ArrayBuffer>;
  /** The bits, on every platform alike; `fromFloat16` makes numbers of them. */
  readonly FP16: Uint16Array<ArrayBuffer>;
  /** The bits: the upper half of a FP32's. Only from servers other than Pilotlight. */
  readonly BF16: Uint16Array<ArrayBuffer>;
  readonly FP32: Float32Array<ArrayBuffer>;
  readonly FP64: Float64Array<ArrayBuffer>;
  /** `texts` makes strings of them. */
  readonly BYTES: readonly Uint8Array<ArrayBuffer>[];
}

/** The Open Inference Protocol's datatypes. */
export type Datatype = keyof OutputData;

/** Arrays that say by themselves which datatype they are. */
interface PlainData {
  readonly BOOL: readonly boolean[];
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  readonly FP16: Float16;
  readonly BF16: never;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
  /** Strings are sent as UTF-8. */
  readonly BYTES: readonly (string | Uint8Array)[];
}

/** Arrays that are a datatype only where it is named: bytes of 0 or 1, and the bits of short floats. */
interface NamedData {
  readonly BOOL: Uint8Array;
  readonly FP16: Uint16Array;
  readonly BF16: Uint16Array;
}

type InputData<D extends Datatype> = PlainData[D] | (D extends keyof NamedData ? NamedData[D] : never);

/** Dimensions, outermost first; the elements are in row-major order. */
export type Shape = readonly number[];

/**
 * A tensor to send. Its datatype follows from its array; only BOOL as bytes and FP16 or BF16 as bits need it said.
 *
 * @example
 * const pixels: InputTensor = { shape: [1, 64], data: new Float32Array(64) };
 * const names: InputTensor = { shape: [2], data: ['Ada', 'Grace'] };
 * const half: InputTensor = { shape: [2], datatype: 'FP16', data: toFloat16([0.5, 1.5]) };
 */
export type InputTensor<D extends Datatype = Datatype, S extends Shape = Shape> = D extends Datatype
  ? | { readonly shape: S; readonly datatype: D; readonly data: InputData<D> }
    | ([PlainData[D]] extends [never]
        ? never
        : { readonly shape: S; readonly datatype?: undefined; readonly data: PlainData[D] })
  : never;

/**
 * A tensor that was received. Without a schema it is a union that its `datatype` tells apart.
 *
 * @example
 * if (output.datatype === 'FP32') console.log(Math.max(...output.data)); // a Float32Array
 */
export type OutputTensor<D extends Datatype = Datatype, S extends Shape = Shape> = D extends Datatype
  ? { readonly datatype: D; readonly shape: S; readonly data: OutputData[D] }
  : never;

const decoder = new TextDecoder();

/**
 * The elements of a BYTES output as strings, read as UTF-8.
 *
 * @example
 * const [answer] = texts(outputs.answer);
 */
export function texts({ data }: OutputTensor<'BYTES'>): string[] {
  return data.map((element) => decoder.decode(element));
}
