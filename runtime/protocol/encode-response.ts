/** An inference response as bytes: JSON alone, or JSON followed by the outputs that were asked for as binary. */
import type { Tensor } from '../inference.ts';
import { encodeJsonElements } from './encode-json-elements.ts';
import { isBinary, type ParsedRequest } from './parse-request.ts';

export interface EncodedResponse {
  readonly body: Buffer;
  /** Bytes of JSON at its begin if tensors follow; absent if all is JSON. */
  readonly jsonLength?: number;
}

/** Writes responses of one model. Names are quoted once here rather than once a response. */
export function responseEncoder(
  model: string,
  version: string,
): (request: ParsedRequest, outputs: readonly Tensor[]) => EncodedResponse {
  const start = `{"model_name":${JSON.stringify(model)},"model_version":${JSON.stringify(version)}`;
  return (request, outputs) => {
    const blobs: Uint8Array[] = [];
    let blobBytes = 0;
    let text =
      request.id === undefined ? `${start},"outputs":[` : `${start},"id":${JSON.stringify(request.id)},"outputs":[`;
    for (const [index, output] of outputs.entries()) {
      text += `${index === 0 ? '' : ','}{"name":${JSON.stringify(output.name)},"datatype":"${output.datatype}","shape":[${output.shape.join(',')}],`;
      if (isBinary(request, output.name)) {
        blobs.push(output.data);
        blobBytes += output.data.length;
        text += `"parameters":{"binary_data_size":${output.data.length}}}`;
      } else {
        text += `"data":${encodeJsonElements(output)}}`;
      }
    }
    text += ']}';
    if (blobs.length === 0) return { body: Buffer.from(text, 'utf8') };
    const jsonLength = Buffer.byteLength(text, 'utf8');
    const body = Buffer.allocUnsafe(jsonLength + blobBytes);
    let offset = body.write(text, 'utf8');
    for (const blob of blobs) {
      body.set(blob, offset);
      offset += blob.length;
    }
    return { body, jsonLength };
  };
}
