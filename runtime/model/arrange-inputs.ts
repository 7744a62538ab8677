import { DATATYPE_BYTES, InferenceError, type Tensor } from '../inference.ts';
import { skipBytesElements } from '../protocol/bytes-elements.ts';
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
    const count = elementCount(shape);
    const elementBytes = DATATYPE_BYTES[datatype];
    const expected = elementBytes === undefined ? skipBytesElements(data, 0, count) : count * elementBytes;
    if (data.byteLength !== expected) {
      throw new InferenceError(
        `The data of input "${name}" has ${data.byteLength} bytes, which are not the ${count} elements of its shape.`,
      );
    }
  }
  return tensors;
}
