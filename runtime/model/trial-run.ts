/** Runs of made-up rows on a loaded model's session, which show how large a batch pays. */
import type { Clock } from '../../common/platform/clock.ts';
import { packInputs } from '../batching/pack-inputs.ts';
import { InferenceError, type Tensor } from '../inference.ts';
import type { BatchTrial } from './quiet-work.ts';

export interface TrialRunOptions {
  readonly clock: Clock;
  readonly makeRows: (rows: number) => readonly Tensor[] | undefined;
  readonly outputs: readonly string[];
  /** Milliseconds. */
  readonly longest: number;
  /** A run went on for longer; it cannot be cancelled, and nothing else would tell, as no request is in it. */
  readonly onHung: (error: Error) => void;
}

/** As BatchTrial has it. */
export function trialRun({ clock, makeRows, outputs, longest, onHung }: TrialRunOptions): BatchTrial['run'] {
  return async (worker, rows) => {
    const inputs = makeRows(rows);
    if (inputs === undefined) return undefined;
    const cancel = clock.after(longest, () => {
      onHung(new Error(`A run of ${rows} made-up rows went on for more than ${longest / 1000} s.`));
    });
    try {
      return (await worker.run(packInputs([inputs]), outputs)).timing.compute;
    } catch (error) {
      if (error instanceof InferenceError) return undefined;
      throw error;
    } finally {
      cancel();
    }
  };
}
