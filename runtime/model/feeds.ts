/** Tensors as ONNX Runtime takes and gives them, and as they cross threads. */
import type { InferenceSession, OnnxValue, Tensor } from 'onnxruntime-node';
import { typedElements } from '../protocol/element-types.ts';
import { packTexts, unpackTexts } from '../protocol/packed-texts.ts';
import { datatypeOf, ELEMENT_TYPES } from './data-types.ts';
import type { TensorMessage } from './session-worker.ts';

/** A view, not a copy, except for BYTES, whose elements become strings. Throws where they are not UTF-8, which ONNX Runtime's strings must be here. */
export function toFeed([name, datatype, shape, data]: TensorMessage): InferenceSession.FeedsType[string] {
  const elements =
    datatype === 'BYTES'
      ? unpackTexts(data, notUtf8(name))
      : // Halves go in as their bits: ONNX Runtime finds no data in a Float16Array, nor in its own Tensor of halves on Node 24.
        typedElements(datatype === 'FP16' ? 'UINT16' : datatype, data);
  return { type: ELEMENT_TYPES[datatype], dims: shape, data: elements, location: 'cpu' } as unknown as Tensor;
}

function notUtf8(name: string): (index: number) => Error {
  return (index) =>
    new Error(`Element ${index} of input "${name}" is not valid UTF-8, which a string tensor of ONNX must be.`);
}

/** The output's own memory, or packed strings. Throws for what is no tensor. */
export function fromValue(name: string, value: OnnxValue | undefined): TensorMessage {
  if (value === undefined) throw new Error(`The run gave no output "${name}".`);
  const datatype = datatypeOf(value.type);
  if (datatype === undefined) throw new Error(`Output "${name}" is of type ${value.type}, which cannot be served.`);
  return [name, datatype, value.dims, outputBytes(value.data)];
}

function outputBytes(data: Tensor.DataType): Uint8Array<ArrayBuffer> {
  if (Array.isArray(data)) return packTexts(data);
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
}
