/**
 * ONNX Runtime's sessions beneath its package's JavaScript. That puts every run off to another turn of the event loop, though it then runs on the calling
 * thread all the same: in a thread which does nothing else, with shorter messages 40 of 554 µs of a request with one connection on a busy machine. It also refuses a model for an element type without
 * saying where that is.
 */
// The bundle's banner declares createRequire as well.
import { createRequire as makeRequire } from 'node:module';
import { env, type InferenceSession, type OnnxValue } from 'onnxruntime-node';
import type { ValueMetadata } from './declared-tensor.ts';

/** Numbers as ONNX has them; a free dimension is -1, its name among the symbolic ones. */
interface NativeMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
  readonly symbolicDimensions: readonly string[];
}

/** All of it blocks the calling thread, and throws Errors with ONNX Runtime's texts. Nothing may be asked of a session after `dispose`. */
export interface NativeSession {
  loadModel(path: string, options: InferenceSession.SessionOptions): void;
  loadModel(model: ArrayBufferLike, offset: number, length: number, options: InferenceSession.SessionOptions): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
  /** Gives what `fetches` has names of. */
  run(
    feeds: InferenceSession.FeedsType,
    fetches: Readonly<Record<string, null>>,
    options: InferenceSession.RunOptions,
  ): Readonly<Record<string, OnnxValue>>;
  dispose(): void;
}

interface NativeBinding {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  /** Sets the environment up, once. */
  readonly initOrt: () => void;
}

// Errors arrive as exceptions; without this they are printed on stderr as well, in colour.
env.logLevel = 'fatal';

const { binding, initOrt } = makeRequire(import.meta.url)('onnxruntime-node/dist/binding.js') as NativeBinding;

/** Of a file, or of a model in memory. */
export function createSession(model: string | Uint8Array, options: InferenceSession.SessionOptions): NativeSession {
  initOrt();
  const session = new binding.InferenceSession();
  if (typeof model === 'string') session.loadModel(model, options);
  else session.loadModel(model.buffer, model.byteOffset, model.byteLength, options);
  return session;
}

/** Element types by their numbers in ONNX (TensorProto.DataType), those that cannot be served included. */
const TYPES = [
  undefined,
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
];

/** An input or output as the model declares it. */
export function describeValue({ name, isTensor, type, shape, symbolicDimensions }: NativeMetadata): ValueMetadata {
  if (!isTensor) return { name, isTensor };
  return {
    name,
    isTensor,
    type: TYPES[type] ?? `number ${type}`,
    shape: shape.map((size, axis) => (size === -1 ? (symbolicDimensions[axis] ?? '') : size)),
  };
}
