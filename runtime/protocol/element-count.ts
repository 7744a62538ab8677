/** Rank of the largest tensor taken; ONNX models stay below 10. */
export const MAX_RANK = 32;

/** Largest dimension taken. Only a tensor with a zero among its dimensions could have a larger one. */
export const MAX_DIMENSION = 2 ** 31 - 1;

/** Number of elements of a shape; Infinity where that is no exact integer any more. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  let overflow = false;
  for (const dimension of shape) {
    if (dimension === 0) return 0;
    count *= dimension;
    overflow ||= count > Number.MAX_SAFE_INTEGER;
  }
  return overflow ? Infinity : count;
}
