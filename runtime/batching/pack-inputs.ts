/** Lays the inputs of a batch into one fresh buffer, which a transfer then moves to the session's thread: every row is copied once, and only here. */
import type { Tensor } from '../inference.ts';
import { packBytes, packedLength } from '../model/packed-bytes.ts';
import type { SessionTensor } from '../model/session-worker.ts';

/** The alignment that the largest element type needs. */
const ALIGNMENT = 8;

/**
 * Joins the requests' inputs along axis 0. Each request lists its inputs in the same order, with the same names, datatypes and other dimensions; a
 * single request may have any shape.
 */
export function packInputs(requests: readonly (readonly Tensor[])[]): SessionTensor[] {
  const first = requests[0] ?? [];
  const lengths = first.map((_, index) => {
    let length = 0;
    for (const inputs of requests) length += byteLength(inputs[index]);
    return length;
  });
  let total = 0;
  const offsets = lengths.map((length) => {
    const offset = total;
    total = Math.ceil((offset + length) / ALIGNMENT) * ALIGNMENT;
    return offset;
  });
  // Uninitialised is fine: every byte that is read is written below. Slow, which here means outside of Node's shared pool, so it may be transferred.
  const { buffer } = Buffer.allocUnsafeSlow(total);
  return first.map((tensor, index) => {
    const data = new Uint8Array(buffer, offsets[index], lengths[index]);
    let offset = 0;
    let rows = 0;
    for (const inputs of requests) {
      const input = inputs[index];
      if (input === undefined) continue;
      offset = write(input.data, data, offset);
      rows += input.shape[0] ?? 0;
    }
    const shape = requests.length === 1 ? tensor.shape : [rows, ...tensor.shape.slice(1)];
    return { name: tensor.name, datatype: tensor.datatype, shape, data };
  });
}

function byteLength(tensor: Tensor | undefined): number {
  if (tensor === undefined) return 0;
  return tensor.data instanceof Uint8Array ? tensor.data.byteLength : packedLength(tensor.data);
}

function write(data: Tensor['data'], target: Uint8Array, offset: number): number {
  if (!(data instanceof Uint8Array)) return packBytes(data, target, offset);
  target.set(data, offset);
  return offset + data.byteLength;
}
