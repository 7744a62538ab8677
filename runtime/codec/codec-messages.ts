/** What crosses to the codec's thread and back. */
import type { Tensor } from '../inference.ts';
import type { ParsedRequest } from '../protocol/parse-request.ts';

export type ToCodec =
  | { readonly kind: 'parse'; readonly headerLength: string | undefined; readonly body: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'encode';
      readonly model: string;
      readonly version: string;
      /** Without its inputs. */
      readonly request: ParsedRequest;
      readonly outputs: readonly Tensor[];
    };

export type FromCodec =
  | { readonly kind: 'parsed'; readonly request: ParsedRequest }
  | { readonly kind: 'encoded'; readonly body: Uint8Array<ArrayBuffer>; readonly jsonLength: number | undefined }
  | { readonly kind: 'refused'; readonly message: string; readonly status: number }
  | { readonly kind: 'failed'; readonly message: string };
