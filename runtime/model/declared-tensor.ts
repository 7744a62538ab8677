/** What a model declares of its inputs and outputs, and what is told to others of it. */
import type { TensorFacts } from '../../common/wire/announcement.ts';
import { StartError, type Datatype } from '../inference.ts';
import { datatypeOf } from './data-types.ts';

export interface DeclaredTensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** A name where the dimension is free; the empty name where the model gives it none. */
  readonly shape: readonly (number | string)[];
  /** The model does not even say the rank; `shape` is empty then. */
  readonly isAnyShape?: boolean;
}

/** ONNX Runtime's metadata of one input or output. A sequence, map or optional is no tensor and has neither type nor shape. */
export interface ValueMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type?: string;
  readonly shape?: readonly (number | string)[];
}

/** `anyShapes` are names of those that have no shape. Throws StartError ModelUnsupported, which names the first value that the protocol cannot carry. */
export function declareTensors(
  side: 'input' | 'output',
  values: readonly ValueMetadata[],
  anyShapes: ReadonlySet<string> = new Set(),
): DeclaredTensor[] {
  return values.map(({ name, isTensor, type = 'unknown', shape = [] }) => {
    if (!isTensor) {
      throw new StartError(
        'ModelUnsupported',
        `The model's ${side} "${name}" is a sequence, a map or an optional; only tensors can be served. ` +
          'Export the model with tensors alone (for scikit-learn classifiers: zipmap=False).',
      );
    }
    const datatype = datatypeOf(type);
    if (datatype === undefined) throw unsupportedType(side, name, type);
    return { name, datatype, shape, ...(anyShapes.has(name) && { isAnyShape: true }) };
  });
}

/** The error of an input or output whose element type has no way in or out. */
function unsupportedType(side: 'input' | 'output', name: string, type: string): StartError {
  return new StartError(
    'ModelUnsupported',
    `The model's ${side} "${name}" is of type ${type}, which cannot be served. Cast it to a type of the Open Inference Protocol, ` +
      'such as float32 or float16, inside the model.',
  );
}

/** The same for people and clients: free dimensions are -1. */
export function tensorFacts({ shape, ...rest }: DeclaredTensor): TensorFacts {
  return { ...rest, shape: shape.map((size) => (typeof size === 'number' ? size : -1)) };
}
