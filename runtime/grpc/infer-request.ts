/** An inference request of gRPC as the request that the rest of the runtime knows. Whether it suits the model is decided by checkRequest. */
import type { Tensor } from '../inference.ts';
import { MAX_CLASSES } from '../protocol/classify.ts';
import { elementCount } from '../protocol/element-count.ts';
import { integer, nonEmptyString } from '../protocol/fields.ts';
import { parseSchedule } from '../protocol/parameters.ts';
import {
  parseBinary,
  parseDatatype,
  parseShape,
  type ParsedRequest,
  type RequestedOutput,
} from '../protocol/parse-request.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';
import type { InferParameters, ModelInferRequest } from './messages.ts';
import { decodeTypedContents, varintBytes } from './typed-contents.ts';

/** Of one request, as long as the longest JSON. They are read one by one, and a byte can become eight. */
const MAX_VARINT_BYTES = 16 * 1024 * 1024;

export interface GrpcRequest extends ParsedRequest {
  /** Tensors came as raw bytes, and go back so: who sent typed contents may read nothing else. */
  readonly isRaw: boolean;
}

/** Throws ProtocolError. Raw tensors are views of the message. */
export function toParsedRequest(message: ModelInferRequest): GrpcRequest {
  const { id, inputs, outputs, raw_input_contents: raw } = message;
  if (raw.length > 0 && raw.length !== inputs.length) {
    throw new ProtocolError(
      `raw_input_contents has ${raw.length} tensors, but inputs has ${inputs.length}; send all of them raw, or none.`,
    );
  }
  checkVarints(inputs);
  const { priority, timeout } = parseSchedule(parameterValues(message.parameters));
  return {
    ...(id !== '' && { id }),
    inputs: inputs.map((input, index) => toTensor(input, index, raw[index])),
    ...(outputs.length > 0 && { outputs: outputs.map(toOutput) }),
    binaryOutput: true,
    ...(priority > 0 && { priority }),
    ...(timeout > 0 && { timeout }),
    isRaw: raw.length > 0,
  };
}

/** Throws ProtocolError for more integers than are read in a moment. */
function checkVarints(inputs: ModelInferRequest['inputs']): void {
  let bytes = 0;
  for (const { contents } of inputs) bytes += varintBytes(contents);
  if (bytes <= MAX_VARINT_BYTES) return;
  throw new ProtocolError(
    `${bytes} bytes of integers in typed contents are too many; ${MAX_VARINT_BYTES} are taken. Send tensors of this size in raw_input_contents.`,
    413,
  );
}

function toOutput({ name: given, parameters }: ModelInferRequest['outputs'][number], index: number): RequestedOutput {
  const name = nonEmptyString(`outputs[${index}].name`, given);
  const wanted = parameterValues(parameters)['classification'] ?? 0;
  const classification = integer(`Output ${quote(name)}: parameters.classification`, wanted, MAX_CLASSES);
  return { name, binary: true, ...(classification > 0 && { classification }) };
}

function toTensor(input: ModelInferRequest['inputs'][number], index: number, raw: Uint8Array | undefined): Tensor {
  const name = nonEmptyString(`inputs[${index}].name`, input.name);
  const what = `Input ${quote(name)}`;
  if (input.parameters.has('shared_memory_region')) {
    throw new ProtocolError(`${what} is in shared memory, which a pod does not have in common with its clients.`, 501);
  }
  const datatype = parseDatatype(what, input.datatype);
  const shape = parseShape(what, input.shape);
  const count = elementCount(shape);
  if (raw === undefined) {
    return { name, datatype, shape, data: decodeTypedContents(what, datatype, shape, count, input.contents) };
  }
  if (input.contents !== undefined) throw new ProtocolError(`${what} has both raw and typed contents; send one.`);
  const bytes = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  return { name, datatype, shape, data: parseBinary(what, datatype, shape, count, bytes) };
}

/** Parameters as JSON has them, so that both protocols read them alike. */
function parameterValues(parameters: InferParameters): Record<string, unknown> {
  const values: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, parameter] of parameters) {
    values[name] =
      parameter.bool_param ??
      parameter.int64_param ??
      parameter.uint64_param ??
      parameter.double_param ??
      parameter.string_param;
  }
  return values;
}
