/** The answer to an inference from its bytes. Tensors are views of them where they are aligned and copies elsewhere. What it is given is not trusted. */
import { longInteger, wrapLongIntegers } from '../common/text/long-integers.ts';
import { elementCount, isDatatype, TYPED_ARRAYS, type FixedDatatype } from './datatypes.ts';
import type { Parameter } from './encode-request.ts';
import { toFloat16 } from './float16.ts';
import { InferenceError } from './inference-error.ts';
import type { Datatype, OutputTensor, Shape } from './tensors.ts';

export interface DecodedAnswer {
  readonly model: string;
  readonly version: string | undefined;
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, Parameter>>;
  readonly outputs: Readonly<Record<string, OutputTensor>>;
}

type Fields = Readonly<Record<string, unknown>>;

const LENGTH_BYTES = 4;
/** ONNX models stay below 10. */
const MAX_RANK = 32;
const encoder = new TextEncoder();

/** `jsonLength` is the header's value, null where it is absent. Throws InferenceError (invalid-answer). */
export function decodeAnswer(body: ArrayBuffer, jsonLength: string | null): DecodedAnswer {
  const length = jsonLength === null ? body.byteLength : Number(jsonLength);
  if (!Number.isSafeInteger(length) || length < 0 || length > body.byteLength) {
    throw invalid(`its header gives JSON of ${String(jsonLength)} bytes, but it has ${body.byteLength} in all`);
  }
  const answer = object('it', parse(new Uint8Array(body, 0, length)));
  const { model_name: model, model_version: version, id, parameters, outputs } = answer;
  if (!Array.isArray(outputs)) throw invalid('it has no outputs');
  let offset = length;
  const tensors = outputs.map((output: unknown): [string, OutputTensor] => {
    const fields = object('an output', output);
    const { name, datatype, shape } = fields;
    if (typeof name !== 'string') throw invalid('an output has no name');
    if (!isDatatype(datatype)) throw invalid(`output "${name}" has the unknown datatype ${JSON.stringify(datatype)}`);
    if (!isShape(shape)) throw invalid(`the shape of output "${name}" is none`);
    const size = object('parameters', fields['parameters'] ?? {})['binary_data_size'];
    let data: OutputTensor['data'];
    if (size === undefined) {
      data = fromJson(name, datatype, shape, fields['data']);
    } else {
      const end = offset + (typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : Infinity);
      if (end > body.byteLength) throw invalid(`output "${name}" goes past its end`);
      data = fromBytes(name, datatype, shape, body, offset, end);
      offset = end;
    }
    return [name, { datatype, shape, data } as OutputTensor];
  });
  return {
    model: typeof model === 'string' ? model : '',
    version: typeof version === 'string' ? version : undefined,
    id: typeof id === 'string' ? id : undefined,
    parameters: object('parameters', parameters ?? {}) as DecodedAnswer['parameters'],
    outputs: Object.fromEntries(tensors),
  };
}

function parse(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text.includes('INT64"') ? wrapLongIntegers(text) : text);
  } catch (cause) {
    throw invalid('it is not JSON', cause);
  }
}

function fromBytes(
  name: string,
  datatype: Datatype,
  shape: Shape,
  buffer: ArrayBuffer,
  start: number,
  end: number,
): OutputTensor['data'] {
  const count = elementCount(shape);
  if (datatype === 'BYTES') return bytesElements(name, count, buffer, start, end);
  const TypedArray = TYPED_ARRAYS[datatype];
  if (end - start !== count * TypedArray.BYTES_PER_ELEMENT) {
    throw invalid(`output "${name}" is ${datatype} of shape [${shape.join(', ')}] in ${end - start} bytes`);
  }
  return start % TypedArray.BYTES_PER_ELEMENT === 0
    ? new TypedArray(buffer, start, count)
    : new TypedArray(buffer.slice(start, end));
}

function bytesElements(
  name: string,
  count: number,
  buffer: ArrayBuffer,
  start: number,
  end: number,
): Uint8Array<ArrayBuffer>[] {
  const view = new DataView(buffer);
  const elements: Uint8Array<ArrayBuffer>[] = [];
  let offset = start;
  while (offset + LENGTH_BYTES <= end && elements.length < count) {
    const length = view.getUint32(offset, true);
    offset += LENGTH_BYTES;
    if (length > end - offset) break;
    elements.push(new Uint8Array(buffer, offset, length));
    offset += length;
  }
  if (elements.length !== count || offset !== end) {
    throw invalid(`output "${name}" does not hold the ${count} elements of its shape`);
  }
  return elements;
}

function fromJson(name: string, datatype: Datatype, shape: Shape, data: unknown): OutputTensor['data'] {
  // Servers nest as deep as the shape, or not at all.
  const list: unknown[] | undefined = Array.isArray(data) ? data.flat(Math.min(shape.length, MAX_RANK)) : undefined;
  if (list?.length !== elementCount(shape)) {
    throw invalid(`output "${name}" does not hold the ${elementCount(shape)} elements of its shape`);
  }
  const wrong = (): InferenceError => invalid(`output "${name}" has elements that are not ${datatype}`);
  if (datatype === 'BYTES') {
    return list.map((element) => {
      if (typeof element !== 'string') throw wrong();
      return encoder.encode(element);
    });
  }
  return numbers(datatype, list, wrong);
}

function numbers(
  datatype: FixedDatatype,
  list: readonly unknown[],
  wrong: () => InferenceError,
): Exclude<OutputTensor, { datatype: 'BYTES' }>['data'] {
  if (datatype === 'INT64' || datatype === 'UINT64') {
    return TYPED_ARRAYS[datatype].from(
      list.map((element) => {
        const integer = Number.isSafeInteger(element) ? BigInt(element as number) : longInteger(element);
        if (integer === undefined) throw wrong();
        return integer;
      }),
    );
  }
  const values = list.map((element) => {
    if (typeof element === 'number') return element;
    if (datatype === 'BOOL' && typeof element === 'boolean') return Number(element);
    if (element === 'NaN' || element === 'Infinity' || element === '-Infinity') return Number(element);
    const long = longInteger(element);
    if (long === undefined) throw wrong();
    return Number(long);
  });
  switch (datatype) {
    case 'FP16':
      return toFloat16(values);
    case 'BF16':
      throw wrong();
    case 'FP32':
    case 'FP64':
      return TYPED_ARRAYS[datatype].from(values);
    default: {
      const integers = TYPED_ARRAYS[datatype].from(values);
      // An array of integers takes the lower bits of whatever it is given.
      if (values.some((value, index) => value !== integers[index])) throw wrong();
      return integers;
    }
  }
}

function isShape(shape: unknown): shape is Shape {
  return Array.isArray(shape) && shape.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);
}

function object(what: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw invalid(`${what} is no object`);
}

function invalid(reason: string, cause?: unknown): InferenceError {
  return new InferenceError(`The answer is not of the Open Inference Protocol: ${reason}.`, {
    code: 'invalid-answer',
    cause,
  });
}
