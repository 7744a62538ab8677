/** An inference request as bytes: JSON followed by the tensors' bytes (the protocol's binary tensor extension), or JSON alone. */
import { datatypeOf, elementCount, isDatatype, kindOf, TYPED_ARRAYS } from './datatypes.ts';
import { fromFloat16 } from './float16.ts';
import { InferenceError } from './inference-error.ts';
import type { Datatype, InputTensor, Shape } from './tensors.ts';

/** Bytes of JSON at the begin of a body that goes on with tensors; also of answers. */
export const JSON_LENGTH_HEADER = 'inference-header-content-length';

export type Parameter = string | number | boolean;

export interface Request {
  readonly inputs: Readonly<Record<string, InputTensor>>;
  /** Names of the outputs wanted; all if absent. */
  readonly outputs?: readonly string[] | undefined;
  readonly id?: string | undefined;
  readonly parameters?: Readonly<Record<string, Parameter>> | undefined;
}

export interface EncodedRequest {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Of fixed size: its bytes, a view. Of BYTES: its elements. */
interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: Shape;
  readonly data: Uint8Array | readonly Uint8Array[];
}

const LENGTH_BYTES = 4;
const encoder = new TextEncoder();

/** Throws InferenceError (invalid-tensor) for a tensor whose parts do not fit together. */
export function encodeRequest(request: Request, encoding: 'binary' | 'json'): EncodedRequest {
  const tensors = Object.entries(request.inputs).map(([name, input]) => prepare(name, input));
  const isBinary = encoding === 'binary';
  const inputs = tensors.map(({ name, datatype, shape, data }) => {
    const start = `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}],`;
    return isBinary
      ? `${start}"parameters":{"binary_data_size":${binaryLength(data)}}}`
      : `${start}"data":${jsonData(name, datatype, data)}}`;
  });
  const parameters = { ...request.parameters, ...(isBinary && { binary_data_output: true }) };
  const members = [
    ...(request.id === undefined ? [] : [`"id":${JSON.stringify(request.id)}`]),
    ...(Object.keys(parameters).length === 0 ? [] : [`"parameters":${JSON.stringify(parameters)}`]),
    `"inputs":[${inputs.join(',')}]`,
    ...(request.outputs === undefined
      ? []
      : [`"outputs":${JSON.stringify(request.outputs.map((name) => output(name, isBinary)))}`]),
  ];
  const json = encoder.encode(`{${members.join(',')}}`);
  if (!isBinary) return { body: json, headers: { 'content-type': 'application/json' } };
  return {
    body: concatenate(json, tensors),
    headers: { 'content-type': 'application/octet-stream', [JSON_LENGTH_HEADER]: String(json.length) },
  };
}

/** The request's own binary_data_output is not enough: Triton looks at it only where no outputs are named. */
function output(name: string, isBinary: boolean): object {
  return isBinary ? { name, parameters: { binary_data: true } } : { name };
}

function prepare(name: string, { datatype: named, shape, data }: InputTensor): Tensor {
  const datatype = named ?? datatypeOf(data);
  if (datatype === undefined) {
    throw invalid(
      name,
      `data is ${describe(data)}, whose datatype is not known. Give a typed array such as Float32Array.of(…), or name the datatype`,
    );
  }
  if (!isDatatype(datatype)) throw invalid(name, `there is no datatype ${String(datatype)}`);
  if (!Array.isArray(shape) || !shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0)) {
    throw invalid(name, 'shape must be an array of integers of 0 or more, such as [1, 64]');
  }
  const count = elementCount(shape);
  if (data.length !== count) {
    throw invalid(name, `shape [${shape.join(', ')}] has ${count} elements, but data has ${data.length}`);
  }
  return { name, datatype, shape, data: elements(name, datatype, data) };
}

function elements(name: string, datatype: Datatype, data: InputTensor['data']): Tensor['data'] {
  if (Array.isArray(data)) {
    const list: readonly unknown[] = data;
    if (datatype === 'BOOL' && list.every((element) => typeof element === 'boolean')) {
      return Uint8Array.from(list, Number);
    }
    if (datatype === 'BYTES' && list.every(isText)) {
      return list.map((element) => (typeof element === 'string' ? encoder.encode(element) : element));
    }
  } else if (datatype !== 'BYTES') {
    const kind = kindOf(data);
    if (kind === TYPED_ARRAYS[datatype].name || (datatype === 'FP16' && kind === 'Float16Array')) {
      const { buffer, byteOffset, byteLength } = data as Uint8Array;
      return new Uint8Array(buffer, byteOffset, byteLength);
    }
  }
  throw invalid(name, `${datatype} is not carried by ${describe(data)}; see InputTensor for what does`);
}

function isText(element: unknown): element is string | Uint8Array {
  return typeof element === 'string' || kindOf(element) === 'Uint8Array';
}

function describe(data: unknown): string {
  if (!Array.isArray(data)) return `a ${kindOf(data)}`;
  return data.length === 0 ? 'an empty array' : `an array with a ${typeof data[0]}`;
}

function invalid(name: string, reason: string): InferenceError {
  return new InferenceError(`Input ${JSON.stringify(name)}: ${reason}.`, { code: 'invalid-tensor' });
}

function binaryLength(data: Tensor['data']): number {
  if (!Array.isArray(data)) return (data as Uint8Array).length;
  const list = data as readonly Uint8Array[];
  return list.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0);
}

function concatenate(json: Uint8Array, tensors: readonly Tensor[]): Uint8Array<ArrayBuffer> {
  const total = tensors.reduce((sum, { data }) => sum + binaryLength(data), json.length);
  const body = new Uint8Array(total);
  const view = new DataView(body.buffer);
  body.set(json);
  let offset = json.length;
  for (const { data } of tensors) {
    if (!Array.isArray(data)) {
      body.set(data as Uint8Array, offset);
      offset += data.length;
      continue;
    }
    for (const element of data as readonly Uint8Array[]) {
      view.setUint32(offset, element.length, true);
      body.set(element, offset + LENGTH_BYTES);
      offset += LENGTH_BYTES + element.length;
    }
  }
  return body;
}

/** Flat, with exact 64-bit integers; what JSON has no number for is written as protobuf's JSON does: "NaN", "Infinity". */
function jsonData(name: string, datatype: Datatype, data: Tensor['data']): string {
  if (datatype === 'BYTES')
    return JSON.stringify((data as readonly Uint8Array[]).map((element) => text(name, element)));
  const bytes = data as Uint8Array;
  if (datatype === 'BOOL') return `[${Array.from(bytes, (byte) => byte !== 0).join(',')}]`;
  if (datatype === 'BF16') throw invalid(name, 'BF16 has no form in JSON');
  const { buffer, byteOffset, byteLength } = bytes;
  const TypedArray = TYPED_ARRAYS[datatype];
  const typed = new TypedArray(buffer as ArrayBuffer, byteOffset, byteLength / TypedArray.BYTES_PER_ELEMENT);
  const numbers = datatype === 'FP16' ? fromFloat16(typed as Uint16Array).join(',') : typed.join(',');
  return `[${/[NI]/.test(numbers) ? numbers.replaceAll(/NaN|-?Infinity/g, '"$&"') : numbers}]`;
}

function text(name: string, element: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(element);
  } catch {
    throw invalid(name, 'it has bytes that are not UTF-8, which JSON cannot carry');
  }
}
