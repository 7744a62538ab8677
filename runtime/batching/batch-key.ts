import type { InferenceRequest, Tensor } from '../inference.ts';

/** Equal for requests that can be rows of one run; undefined for a request whose inputs do not agree on their rows, or have none. */
export function batchKey(
  request: Pick<InferenceRequest, 'outputs'>,
  inputs: readonly Tensor[],
  rows: number,
): string | undefined {
  if (rows === 0) return undefined;
  let key = request.outputs?.join('\0') ?? '';
  for (const { datatype, shape } of inputs) {
    if (shape[0] !== rows) return undefined;
    key += datatype;
    for (let axis = 1; axis < shape.length; axis += 1) key += `,${shape[axis] ?? ''}`;
  }
  return key;
}
