import { DATATYPE_BYTES, InferenceError, type Tensor } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';

/**
 * A request's inputs in the order of the model's. Throws InferenceError for what does not fill its own shape: it would move the rows of others, so it
 * ends here.
 */
export function arrangeInputs(
  given: readonly Tensor[],
  wanted: readonly { readonly name: string }[],
): readonly Tensor[] {
  const inOrder = given.length === wanted.length && given.every((tensor, index) => tensor.name === wanted[index]?.name);
  const tensors = inOrder ? given : wanted.flatMap(({ name }) => given.find((tensor) => tensor.name === name) ?? []);
  if (tensors.length !== wanted.length) throw new InferenceError('An input is missing.');
  for (const { name, datatype, shape, data } of tensors) {
    const length = data instanceof Uint8Array ? data.byteLength : data.length;
    const expected = elementCount(shape) * (DATATYPE_BYTES[datatype] ?? 1);
    if (length !== expected || data instanceof Uint8Array !== (datatype !== 'BYTES')) {
      throw new InferenceError(
        `The data of input "${name}" is ${length} long where its shape and datatype need ${expected}.`,
      );
    }
  }
  return tensors;
}
