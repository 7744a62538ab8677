/** Up to so many, requests of a failed batch run again alone. To halve four takes as many runs where one of them fails it, and more where two do. */
const ALONE = 4;

/**
 * What runs again, each part together, after a batch failed because of some of its requests: halves, and in the end each alone. Of 32 requests one that fails
 * is found in 11 runs, the first included, after which the others have their answers; where all fail it takes 47.
 */
export function splitBatch<Entry>(batch: readonly Entry[]): (readonly Entry[])[] {
  if (batch.length <= ALONE) return batch.map((entry) => [entry]);
  const middle = Math.ceil(batch.length / 2);
  return [batch.slice(0, middle), batch.slice(middle)];
}
