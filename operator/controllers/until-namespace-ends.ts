/** What controllers do where nothing can be made any more because the namespace is being deleted: wait for the end, and tell nobody of a failure. */
import { isNamespaceEnding } from '../cluster/is-namespace-ending.ts';

/** Whoever wanted something there is deleted soon, which is an event. Where a finalizer holds the namespace back, it is asked in vain this often. */
const RETRY_MILLISECONDS = 30_000;

export function untilNamespaceEnds(
  process: (key: string) => Promise<number | undefined>,
): (key: string) => Promise<number | undefined> {
  return async (key) => {
    try {
      return await process(key);
    } catch (error) {
      if (isNamespaceEnding(error)) return RETRY_MILLISECONDS;
      throw error;
    }
  };
}
