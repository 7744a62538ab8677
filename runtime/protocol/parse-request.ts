/**
 * An inference request from its bytes: JSON, or JSON followed by the tensors' bytes in the order of the inputs (the protocol's binary tensor
 * extension). It knows nothing of any model: whether the tensors suit one is decided by checkRequest.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { DATATYPE_BYTES, type Datatype, type Tensor } from '../inference.ts';
import { checkBytesElements, MAX_BYTES_ELEMENTS } from './bytes-elements.ts';
import { elementCount, MAX_DIMENSION, MAX_RANK } from './element-count.ts';
import { MAX_CLASSES } from './classify.ts';
import { array, boolean, integer, nonEmptyString, object } from './fields.ts';
import { parseParameters, parseSchedule } from './parameters.ts';
import { decodeJsonElements } from './decode-json-elements.ts';
import { parseJson } from './parse-json.ts';
import { describe, ProtocolError, quote } from './protocol-error.ts';

/** Bytes of JSON at the begin of a body that goes on with tensors. */
export const HEADER_LENGTH = 'inference-header-content-length';

export interface RequestedOutput {
  readonly name: string;
  /** As bytes after the JSON rather than as JSON. */
  readonly binary: boolean;
  /** Only the so many largest elements of each row are wanted, as texts; 0 or absent: the tensor itself. */
  readonly classification?: number;
}

export interface ParsedRequest {
  readonly id?: string;
  readonly inputs: readonly Tensor[];
  /** All outputs if absent. */
  readonly outputs?: readonly RequestedOutput[];
  /** For outputs that are not named. */
  readonly binaryOutput: boolean;
  /** As InferenceRequest has it. */
  readonly priority?: number;
  /** Microseconds that it may wait for its run. */
  readonly timeout?: number;
}

/** Whether this output goes as bytes after the JSON. */
export function isBinary({ outputs, binaryOutput }: ParsedRequest, name: string): boolean {
  if (outputs === undefined) return binaryOutput;
  return outputs.find((output) => output.name === name)?.binary ?? binaryOutput;
}

/** Throws ProtocolError for everything that is not a request. Binary tensors are views of `body`. */
export function parseRequest(headers: IncomingHttpHeaders, body: Buffer): ParsedRequest {
  const jsonLength = parseHeaderLength(headers[HEADER_LENGTH], body);
  const document = object('The request', parseJson(body.subarray(0, jsonLength)));
  const parameters = parseParameters('parameters', document['parameters']);
  const { priority, timeout } = parseSchedule(parameters);
  const id = document['id'];
  if (id !== undefined && typeof id !== 'string') {
    throw new ProtocolError(`id must be a string but is ${describe(id)}.`);
  }
  const binaryOutput = boolean('parameters.binary_data_output', parameters['binary_data_output'], false);
  const blobs = new Blobs(body.subarray(jsonLength));
  const inputs = array('inputs', document['inputs']).map((input, index) => parseInput(input, index, blobs));
  blobs.end();
  const outputs =
    document['outputs'] === undefined
      ? undefined
      : array('outputs', document['outputs']).map((output, index) => parseOutput(output, index, binaryOutput));
  return {
    ...(id !== undefined && { id }),
    inputs,
    ...(outputs !== undefined && outputs.length > 0 && { outputs }),
    binaryOutput,
    ...(priority > 0 && { priority }),
    ...(timeout > 0 && { timeout }),
  };
}

function parseHeaderLength(header: string | string[] | undefined, body: Buffer): number {
  if (header === undefined) return body.length;
  const length = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : NaN;
  if (!(length <= body.length)) {
    throw new ProtocolError(
      `Header Inference-Header-Content-Length must be a number up to the body's ${body.length} bytes but is ${quote(String(header))}.`,
    );
  }
  return length;
}

/** What follows the JSON, handed out tensor by tensor. */
class Blobs {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(what: string, size: number): Buffer {
    const left = this.#bytes.length - this.#offset;
    if (size > left) {
      throw new ProtocolError(`${what}: binary_data_size is ${size}, but only ${left} bytes are left of the body.`);
    }
    this.#offset += size;
    return this.#bytes.subarray(this.#offset - size, this.#offset);
  }

  end(): void {
    const left = this.#bytes.length - this.#offset;
    if (left > 0) throw new ProtocolError(`${left} bytes follow the last binary tensor; no input claims them.`);
  }
}

function parseInput(value: unknown, index: number, blobs: Blobs): Tensor {
  const input = object(`inputs[${index}]`, value);
  const name = nonEmptyString(`inputs[${index}].name`, input['name']);
  const what = `Input ${quote(name)}`;
  const datatype = parseDatatype(what, input['datatype']);
  const shape = parseShape(what, input['shape']);
  const count = elementCount(shape);
  const parameters = parseParameters(`${what}: parameters`, input['parameters']);
  const size = parameters['binary_data_size'];
  if ((size === undefined) === (input['data'] === undefined)) {
    throw new ProtocolError(`${what} must have exactly one of data and parameters.binary_data_size.`);
  }
  const data =
    size === undefined
      ? decodeJsonElements(what, datatype, shape, count, input['data'])
      : parseBinary(what, datatype, shape, count, blobs.take(what, parseSize(what, size)));
  return { name, datatype, shape, data };
}

/** A binary tensor, exactly as long as its shape says. Throws ProtocolError; `what` begins its sentence. */
export function parseBinary(
  what: string,
  datatype: Datatype,
  shape: readonly number[],
  count: number,
  bytes: Buffer,
): Buffer {
  const elementBytes = DATATYPE_BYTES[datatype];
  if (elementBytes === undefined) {
    if (count > MAX_BYTES_ELEMENTS) {
      throw new ProtocolError(`${what}: ${count} elements are too many; BYTES may have ${MAX_BYTES_ELEMENTS}.`, 413);
    }
    checkBytesElements(what, bytes, count);
    return bytes;
  }
  if (bytes.length !== count * elementBytes) {
    throw new ProtocolError(
      `${what}: ${datatype} of shape [${shape.join(', ')}] takes ${count * elementBytes} bytes, but it has ${bytes.length}.`,
    );
  }
  return bytes;
}

/** Throws ProtocolError; `what` begins its sentence. */
export function parseDatatype(what: string, value: unknown): Datatype {
  if (typeof value === 'string' && Object.hasOwn(DATATYPE_BYTES, value)) return value as Datatype;
  if (value === 'BF16') {
    throw new ProtocolError(
      `${what}: datatype BF16 is not served, because ONNX Runtime takes none here; cast it inside the model.`,
    );
  }
  const known = Object.keys(DATATYPE_BYTES).join(', ');
  throw new ProtocolError(`${what}: datatype must be one of ${known} but is ${describe(value)}.`);
}

/** Throws ProtocolError; `what` begins its sentence. */
export function parseShape(what: string, value: unknown): number[] {
  const shape = array(`${what}: shape`, value);
  if (shape.length > MAX_RANK) {
    throw new ProtocolError(`${what}: shape has ${shape.length} dimensions; ${MAX_RANK} are the most.`);
  }
  return shape.map((dimension, index) => integer(`${what}: shape[${index}]`, dimension, MAX_DIMENSION));
}

function parseSize(what: string, value: unknown): number {
  return integer(`${what}: parameters.binary_data_size`, value, Number.MAX_SAFE_INTEGER);
}

function parseOutput(value: unknown, index: number, binaryOutput: boolean): RequestedOutput {
  const output = object(`outputs[${index}]`, value);
  const name = nonEmptyString(`outputs[${index}].name`, output['name']);
  const what = `Output ${quote(name)}: parameters`;
  const parameters = parseParameters(what, output['parameters']);
  const classification = integer(`${what}.classification`, parameters['classification'] ?? 0, MAX_CLASSES);
  return {
    name,
    binary: boolean(`${what}.binary_data`, parameters['binary_data'], binaryOutput),
    ...(classification > 0 && { classification }),
  };
}
