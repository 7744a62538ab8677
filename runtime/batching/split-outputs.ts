/** Gives each request of a batch its rows back, as views into what the run gave. */
import { DATATYPE_BYTES, type Tensor } from '../inference.ts';
import { skipBytesElements } from '../protocol/bytes-elements.ts';
import { elementCount } from '../protocol/element-count.ts';

/** A tensor cut along axis 0 into parts of so many rows; undefined if it has another number of rows. */
export function cutRows({ name, datatype, shape, data }: Tensor, rows: readonly number[]): Tensor[] | undefined {
  let total = 0;
  for (const count of rows) total += count;
  if (shape[0] !== total) return undefined;
  const rowElements = elementCount(shape.slice(1));
  const elementBytes = DATATYPE_BYTES[datatype];
  let start = 0;
  return rows.map((count) => {
    const end =
      elementBytes === undefined
        ? skipBytesElements(data, start, count * rowElements)
        : start + count * rowElements * elementBytes;
    const part = { name, datatype, shape: [count, ...shape.slice(1)], data: data.subarray(start, end) };
    start = end;
    return part;
  });
}

/** The outputs of each request, whose rows lie one after the other; undefined if an output does not have as many rows as went in. */
export function splitOutputs(outputs: readonly Tensor[], rows: readonly number[]): Tensor[][] | undefined {
  const parts = rows.map((): Tensor[] => []);
  for (const output of outputs) {
    const cut = cutRows(output, rows);
    if (cut === undefined) return undefined;
    for (const [index, part] of cut.entries()) parts[index]?.push(part);
  }
  return parts;
}
