/** A result as the message that answers an inference request. */
import type { Tensor } from '../inference.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';
import type { GrpcRequest } from './infer-request.ts';
import type { ModelInferResponse } from './messages.ts';
import { encodeTypedContents } from './typed-contents.ts';

/** Throws ProtocolError if an output cannot be sent in the form that the request has. */
export function inferResponse(
  model: string,
  version: string,
  request: GrpcRequest,
  outputs: readonly Tensor[],
): Partial<ModelInferResponse> {
  const head = { model_name: model, model_version: version, id: request.id ?? '' };
  if (!request.isRaw) return { ...head, outputs: outputs.map(typed) };
  return {
    ...head,
    outputs: outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
    raw_output_contents: outputs.map(({ data }) => data),
  };
}

/** About as many bytes as the message will have. */
export function expectedBytes({ raw_output_contents: raw = [] }: Partial<ModelInferResponse>): number {
  return raw.reduce((sum, { length }) => sum + length + 8, 512);
}

function typed(tensor: Tensor): NonNullable<ModelInferResponse['outputs']>[number] {
  const { name, datatype, shape } = tensor;
  const contents = encodeTypedContents(tensor);
  if (contents !== undefined) return { name, datatype, shape, contents };
  throw new ProtocolError(
    `Output ${quote(name)} is ${datatype}, which has no typed contents; send the inputs in raw_input_contents, and outputs come so too.`,
  );
}
