/** A single request's inputs as they are, where they lie ready for the session: then nothing is copied on the way to its thread. */
import { DATATYPE_BYTES, type Tensor } from '../inference.ts';
import type { SessionTensor } from '../model/session-worker.ts';

/** Undefined where they must be packed: elements that are not aligned, or more than one buffer. */
export function handOver(inputs: readonly Tensor[]): SessionTensor[] | undefined {
  const tensors: SessionTensor[] = [];
  for (const { name, datatype, shape, data } of inputs) {
    if (!isInArrayBuffer(data)) return undefined;
    if (data.byteOffset % (DATATYPE_BYTES[datatype] ?? 1) !== 0) return undefined;
    if (tensors.length > 0 && data.buffer !== tensors[0]?.data.buffer) return undefined;
    tensors.push({ name, datatype, shape, data });
  }
  return tensors;
}

function isInArrayBuffer(data: Uint8Array): data is Uint8Array<ArrayBuffer> {
  return data.buffer instanceof ArrayBuffer;
}
