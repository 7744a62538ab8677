/**
 * The shortest form of a request: `Inference-Header-Content-Length: 0`, and the body is the bytes of the model's only input. Its one free dimension
 * follows from their number; every output comes back binary.
 */
import type { TensorFacts } from '../../common/wire/announcement.ts';
import { DATATYPE_BYTES, type Datatype } from '../inference.ts';
import { elementCount } from './element-count.ts';
import { parseBinary, type ParsedRequest } from './parse-request.ts';
import { ProtocolError } from './protocol-error.ts';

/** Throws ProtocolError if the model's inputs or the number of bytes do not allow this form. */
export function parseRawRequest(inputs: readonly TensorFacts[], body: Buffer): ParsedRequest {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    throw new ProtocolError(`A request without JSON needs a model of one input; this one has ${inputs.length}.`);
  }
  const what = `Input "${input.name}"`;
  const shape = deduceShape(what, input, body.length);
  const datatype = input.datatype as Datatype;
  const data = parseBinary(what, datatype, shape, elementCount(shape), body);
  return { inputs: [{ name: input.name, datatype, shape, data }], binaryOutput: true };
}

function deduceShape(what: string, { datatype, shape: declared, isAnyShape }: TensorFacts, bytes: number): number[] {
  const shape = isAnyShape === true ? [-1] : declared;
  const elementBytes = DATATYPE_BYTES[datatype as Datatype];
  const free = shape.filter((dimension) => dimension < 0).length;
  // Elements of BYTES have no size to divide by: one is taken, as a batch of one.
  if (elementBytes === undefined) return shape.map((dimension) => (dimension < 0 ? 1 : dimension));
  if (free > 1) {
    throw new ProtocolError(`${what} has ${free} free dimensions; name its shape in a request with JSON.`);
  }
  const rowBytes = elementCount(shape.filter((dimension) => dimension >= 0)) * elementBytes;
  const rows = rowBytes === 0 ? 0 : bytes / rowBytes;
  if (free === 1 && !Number.isInteger(rows)) {
    throw new ProtocolError(`${what} takes a multiple of ${rowBytes} bytes, but the body has ${bytes}.`);
  }
  return shape.map((dimension) => (dimension < 0 ? rows : dimension));
}
