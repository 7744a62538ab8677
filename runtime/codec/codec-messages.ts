/** What crosses to the codec's thread and back. BYTES elements travel packed, in the protocol's binary form: a million views would each be cloned. */
import type { Tensor } from '../inference.ts';
import { decodeBytesElements, encodeBytesElements } from '../protocol/bytes-elements.ts';
import { elementCount } from '../protocol/element-count.ts';
import type { ParsedRequest } from '../protocol/parse-request.ts';

export interface PackedTensor extends Omit<Tensor, 'data'> {
  readonly data: Uint8Array<ArrayBuffer>;
}

export type PackedRequest = Omit<ParsedRequest, 'inputs'> & { readonly inputs: readonly PackedTensor[] };

export type ToCodec =
  | { readonly kind: 'parse'; readonly headerLength: string | undefined; readonly body: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'encode';
      readonly model: string;
      readonly version: string;
      /** Without its inputs. */
      readonly request: ParsedRequest;
      readonly outputs: readonly PackedTensor[];
    };

export type FromCodec =
  | { readonly kind: 'parsed'; readonly request: PackedRequest }
  | { readonly kind: 'encoded'; readonly body: Uint8Array<ArrayBuffer>; readonly jsonLength: number | undefined }
  | { readonly kind: 'refused'; readonly message: string; readonly status: number }
  | { readonly kind: 'failed'; readonly message: string };

/** With memory that may be transferred: BYTES are packed in Node's shared pool first. */
export function pack(tensor: Tensor): PackedTensor {
  const { data } = tensor;
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(encodeBytesElements(data));
  return { ...tensor, data: bytes as Uint8Array<ArrayBuffer> };
}

export function unpack(tensor: PackedTensor): Tensor {
  if (tensor.datatype !== 'BYTES') return tensor;
  const { buffer, byteOffset, byteLength } = tensor.data;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  return { ...tensor, data: decodeBytesElements(`"${tensor.name}"`, bytes, elementCount(tensor.shape)) };
}
