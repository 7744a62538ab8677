/** Lays the inputs of a batch into one fresh buffer, which a transfer then moves to the session's thread: every row is copied once, and only here. */
import type { Tensor } from '../inference.ts';
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
    for (const inputs of requests) length += inputs[index]?.data.byteLength ?? 0;
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
      data.set(input.data, offset);
      offset += input.data.byteLength;
      rows += input.shape[0] ?? 0;
    }
    const shape = requests.length === 1 ? tensor.shape : [rows, ...tensor.shape.slice(1)];
    return { name: tensor.name, datatype: tensor.datatype, shape, data };
  });
}
