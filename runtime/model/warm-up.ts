/**
 * A session's first runs: they pay for what only a first run pays (kernels, memory, a GPU's context), and show whether the model keeps the rows of a
 * batch apart. Made-up inputs need not suit a model, whose free dimensions and indices mean something; so a failure is held against the model only
 * where no input could do better.
 */
import type { ModelFacts } from '../../common/wire/announcement.ts';
import type { BatchingMode } from '../../common/wire/runtime-environment.ts';
import type { BatchAxis } from '../batching/batch-axis.ts';
import { packInputs } from '../batching/pack-inputs.ts';
import { findDifference, findWithoutNumbers } from '../batching/same-outputs.ts';
import { splitOutputs } from '../batching/split-outputs.ts';
import { InferenceError, StartError, type Tensor } from '../inference.ts';
import { elementCount } from '../protocol/element-count.ts';
import type { DeclaredTensor } from './declared-tensor.ts';
import { isMachineFailure } from './describe-error.ts';
import type { SessionWorker } from './session-worker.ts';
import { makeTrialInputs, MAXIMUM_ELEMENTS, TRIALS } from './trial-inputs.ts';

/** Three, so that a row has neighbours that differ on both sides. */
const TRIAL_ROWS = 3;

const TOO_LARGE = `${TRIAL_ROWS} made-up rows would take more memory than this replica has for requests`;

export interface WarmUpResult {
  /** Why none of the trial inputs could be run, so that the first request will be the first run. */
  readonly cold?: string;
  readonly batching: ModelFacts['batching'];
  /** Made-up inputs of so many rows, such as ran; undefined beyond what their memory is worth. Absent if batching is off. */
  readonly makeRows?: (rows: number) => Tensor[] | undefined;
}

export interface WarmUpModel {
  readonly inputs: readonly DeclaredTensor[];
  readonly outputs: readonly DeclaredTensor[];
  readonly axis: BatchAxis;
}

export interface WarmUpLimits {
  readonly mode?: BatchingMode;
  readonly maxBatchSize: number;
  /** Bytes of made-up inputs at once: no more than a request may have, as the memory is the same. */
  readonly mostBytes?: number;
}

/**
 * Rejects with StartError WarmUpFailed if the failure speaks of this machine (no memory, a device's error), or if all shapes are fixed and the
 * model still takes none of the trials: requests could do nothing differently but the values.
 */
export async function warmUp(worker: SessionWorker, model: WarmUpModel, limits: WarmUpLimits): Promise<WarmUpResult> {
  const { inputs, outputs, axis } = model;
  const { mode = 'On', maxBatchSize, mostBytes } = limits;
  const dimension = axis.batchable ? axis.dimension : undefined;
  const forbidden = mode === 'Off' ? 'batching.mode is Off' : maxBatchSize === 1 ? 'maxBatchSize is 1' : undefined;
  const names = outputs.map(({ name }) => name);
  const run = async (tensors: readonly Tensor[]): Promise<readonly Tensor[]> =>
    (await worker.run(packInputs([tensors]), names)).outputs;
  let failure: string | undefined;
  for (const trial of TRIALS) {
    const shared = dimension !== undefined && forbidden === undefined;
    const together = shared ? makeTrialInputs(inputs, trial, TRIAL_ROWS, dimension, mostBytes) : undefined;
    const tensors = together ?? makeTrialInputs(inputs, trial, 1, dimension, mostBytes);
    if (tensors === undefined) continue;
    try {
      if (shared && together !== undefined) {
        const batching = await tryBatching(run, together, dimension);
        const rowElements = together.reduce((sum, { shape }) => sum + elementCount(shape), 0) / TRIAL_ROWS;
        const makeRows = (rows: number): Tensor[] | undefined =>
          rows * rowElements > MAXIMUM_ELEMENTS
            ? undefined
            : makeTrialInputs(inputs, trial, rows, dimension, mostBytes);
        return batching.enabled ? { batching, makeRows } : { batching };
      }
      await run(tensors);
      return { batching: off(axis.batchable ? (forbidden ?? TOO_LARGE) : axis.reason) };
    } catch (error) {
      if (!(error instanceof InferenceError)) throw error;
      failure = error.message;
      if (isMachineFailure(failure)) throw warmUpFailed(failure);
    }
  }
  const fixed = inputs.every(
    ({ shape, isAnyShape }) => isAnyShape !== true && shape.every((size) => typeof size === 'number'),
  );
  if (fixed && failure !== undefined) throw warmUpFailed(failure);
  const cold = failure ?? 'they would be too large';
  const reason = axis.batchable ? `the model could not be tried with made-up inputs (${cold})` : axis.reason;
  return { cold, batching: off(reason) };
}

/** Rejects with InferenceError if the first row does not even run alone. */
async function tryBatching(
  run: (tensors: readonly Tensor[]) => Promise<readonly Tensor[]>,
  together: readonly Tensor[],
  dimension: string,
): Promise<ModelFacts['batching']> {
  const alone: (readonly Tensor[])[] = [];
  for (const one of splitOutputs(together, Array<number>(TRIAL_ROWS).fill(1)) ?? []) alone.push(await run(one));
  try {
    const outputs = await run(together);
    const different = findDifference(outputs, alone);
    if (different !== undefined) return off(`output "${different}" of a row depends on which rows share its run`);
    const unproven = findWithoutNumbers(outputs);
    if (unproven !== undefined) {
      return off(`output "${unproven}" is NaN throughout for made-up inputs, which proves nothing`);
    }
  } catch (error) {
    if (!(error instanceof InferenceError)) throw error;
    return off(`the model takes one row but not ${TRIAL_ROWS} together (${error.message})`);
  }
  return {
    enabled: true,
    reason: `Batching is on: "${dimension}" is axis 0 of every input and output, and rows together gave what rows alone gave.`,
  };
}

function off(reason: string): ModelFacts['batching'] {
  return { enabled: false, reason: `Batching is off: ${reason.replace(/\.$/, '')}.` };
}

function warmUpFailed(failure: string): StartError {
  return new StartError('WarmUpFailed', `The model was loaded but its first run failed: ${failure}`);
}
