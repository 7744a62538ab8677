/**
 * Whether a model's declaration lets requests share a run: axis 0 of every input and output must be one and the same free dimension, which is on
 * no other axis. Whether it is also true, only runs can tell (same-outputs.ts).
 */
import type { DeclaredTensor } from '../model/declared-tensor.ts';

export type BatchAxis =
  | { readonly batchable: true; readonly dimension: string }
  /** A sentence without its end, to follow "Batching is off: ". */
  | { readonly batchable: false; readonly reason: string };

export function findBatchAxis(inputs: readonly DeclaredTensor[], outputs: readonly DeclaredTensor[]): BatchAxis {
  const tensors = [
    ...inputs.map((tensor) => ({ tensor, title: `input "${tensor.name}"` })),
    ...outputs.map((tensor) => ({ tensor, title: `output "${tensor.name}"` })),
  ];
  if (inputs.length === 0) return not('the model has no inputs');
  for (const { tensor, title } of tensors) {
    const axis = tensor.shape[0];
    if (axis === undefined) return not(`${title} has no axis 0 that could hold rows`);
    if (typeof axis === 'number') return not(`axis 0 of ${title} is fixed at ${axis}`);
  }
  let dimension: string | undefined;
  for (const { tensor, title } of tensors) {
    const axis = tensor.shape[0];
    if (typeof axis !== 'string' || axis === '') {
      return not(
        `axis 0 of ${title} has no name, so nothing says that it is the batch; name it when exporting the model`,
      );
    }
    dimension ??= axis;
    if (axis !== dimension) return not(`axis 0 of ${title} is "${axis}" and not "${dimension}" as elsewhere`);
    const again = tensor.shape.indexOf(dimension, 1);
    if (again !== -1) return not(`"${dimension}" is axis ${again} of ${title} as well as axis 0`);
  }
  return dimension === undefined ? not('the model has no inputs') : { batchable: true, dimension };
}

function not(reason: string): BatchAxis {
  return { batchable: false, reason };
}
