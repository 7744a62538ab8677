/**
 * Knative's test images sleep for as long as they are asked to. Ours is a model whose requests wait that long for company before they run, at no
 * cost of CPU, so that a load of so many clients is a concurrency of so many.
 */
import type { ModelFunctionManifest } from '../../common/api/kinds.ts';

/** More rows than all requests of a load here have together, or a run would begin before the time. */
const NEVER_FULL = 1024;

/** For spec.batching: a request that finds the model idle takes so long; those that come meanwhile end with it. */
export function sleeping(milliseconds: number): NonNullable<ModelFunctionManifest['spec']['batching']> {
  return { mode: 'On', maxBatchSize: NEVER_FULL, maxDelayMilliseconds: milliseconds };
}
