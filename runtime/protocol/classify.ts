/**
 * Triton's extension `classification`: in place of a tensor the largest elements of each of its rows, as texts "value:index". A row is what the first
 * dimension counts, where the model leaves that one free; elsewhere the whole tensor is one row.
 */
import type { TensorFacts } from '../../common/wire/announcement.ts';
import type { Tensor } from '../inference.ts';
import { typedElements } from './element-types.ts';
import type { RequestedOutput } from './parse-request.ts';
import { packTexts } from './packed-texts.ts';
import { ProtocolError } from './protocol-error.ts';

/** Most classes a row; what is kept is kept in order, so that the cost of a request stays near that of looking at each element once. */
export const MAX_CLASSES = 1000;

type Elements = ArrayLike<number | bigint>;

/** The outputs of a run as its request wants them: tensors, or the classes that they show. Throws ProtocolError. */
export function classifyOutputs(
  outputs: readonly Tensor[],
  wanted: readonly RequestedOutput[] | undefined,
  declared: readonly TensorFacts[],
): readonly Tensor[] {
  if (wanted?.some(({ classification }) => classification !== undefined) !== true) return outputs;
  return outputs.map((output) => {
    const count = wanted.find(({ name }) => name === output.name)?.classification;
    const facts = declared.find(({ name }) => name === output.name);
    return count === undefined ? output : classify(output, facts, count);
  });
}

/** The `count` largest elements, fewer where a row has fewer. Throws ProtocolError where elements have no order. */
export function classify(tensor: Tensor, declared: TensorFacts | undefined, count: number): Tensor {
  const { name, datatype, shape, data } = tensor;
  if (datatype === 'BYTES' || datatype === 'BOOL') {
    throw new ProtocolError(`Output "${name}": classification needs numbers, but it is ${datatype}.`);
  }
  const elements = typedElements(datatype, data) as unknown as Elements;
  const hasRows = declared?.shape[0] === -1;
  const rows = hasRows ? (shape[0] ?? 1) : 1;
  const rowLength = rows === 0 ? 0 : elements.length / rows;
  const kept = Math.min(count, rowLength);
  // As Triton prints them: six digits after the point, integers whole.
  const print = (value: number | bigint | undefined): string =>
    typeof value === 'number' && datatype.startsWith('FP') ? value.toFixed(6) : String(value);
  const texts: string[] = [];
  for (let start = 0; start < elements.length; start += rowLength) {
    for (const index of largest(elements, start, start + rowLength, kept)) {
      texts.push(`${print(elements[index])}:${index - start}`);
    }
  }
  return { name, datatype: 'BYTES', shape: hasRows ? [rows, kept] : [kept], data: packTexts(texts) };
}

/** Indices of the `count` largest elements from `start` to before `end`, the largest first; of equals the first, and NaN after all numbers. */
function largest(elements: Elements, start: number, end: number, count: number): number[] {
  const order: number[] = [];
  for (let index = start; index < end; index++) {
    const last = order[count - 1];
    if (last !== undefined && !isLarger(elements[index], elements[last])) continue;
    let low = 0;
    let high = order.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isLarger(elements[index], elements[order[middle] ?? 0])) high = middle;
      else low = middle + 1;
    }
    if (order.length === count) order.pop();
    order.splice(low, 0, index);
  }
  return order;
}

function isLarger(left: number | bigint = NaN, right: number | bigint = NaN): boolean {
  return left > right || (Number.isNaN(right) && !Number.isNaN(left));
}
