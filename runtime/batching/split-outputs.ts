/** Gives each request of a batch its rows back, as views into what the run gave. */
import type { Tensor } from '../inference.ts';
import { unpackBytes } from '../model/packed-bytes.ts';
import type { SessionTensor } from '../model/session-worker.ts';

/** An output as the server knows it: BYTES elements apart. */
export function toTensor(output: SessionTensor): Tensor {
  return output.datatype === 'BYTES' ? { ...output, data: unpackBytes(output.data) } : output;
}

/** `count` rows from row `start` on, of a tensor that must have `total` rows; undefined if it has not. */
export function sliceRows(tensor: Tensor, start: number, count: number, total: number): Tensor | undefined {
  const { name, datatype, shape, data } = tensor;
  if (shape[0] !== total) return undefined;
  const rowShape = [count, ...shape.slice(1)];
  if (data instanceof Uint8Array) {
    const rowBytes = data.byteLength / total;
    return { name, datatype, shape: rowShape, data: data.subarray(start * rowBytes, (start + count) * rowBytes) };
  }
  const rowElements = data.length / total;
  return { name, datatype, shape: rowShape, data: data.slice(start * rowElements, (start + count) * rowElements) };
}

/** The outputs of each request, whose rows lie one after the other; undefined if an output does not have as many rows as went in. */
export function splitOutputs(outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | undefined {
  let total = 0;
  for (const count of rows) total += count;
  let start = 0;
  const parts: Tensor[][] = [];
  for (const count of rows) {
    const part: Tensor[] = [];
    for (const output of outputs) {
      const slice = sliceRows(output, start, count, total);
      if (slice === undefined) return undefined;
      part.push(slice);
    }
    parts.push(part);
    start += count;
  }
  return parts;
}

/** What each request of a run gets of it, which is all where it ran alone; undefined as splitOutputs gives it. */
export function sharesOf(
  { outputs }: { readonly outputs: readonly SessionTensor[] },
  rows: readonly number[],
): Tensor[][] | undefined {
  const tensors = outputs.map(toTensor);
  return rows.length === 1 ? [tensors] : splitOutputs(tensors, rows);
}
