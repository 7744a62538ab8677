/**
 * What became of the inference requests of one model: the one place that counts them. Prometheus' metrics and the protocol's statistics are both read
 * from here, so they agree, and a request costs a few additions.
 *
 * Durations are summed as Numbers of milliseconds: beyond 2^53 ns (104 days of work, or 2 days of 64 waiting requests) single nanoseconds are rounded,
 * nothing overflows.
 */
import type { InferenceResult } from '../inference.ts';

/** Triton's reasons: refused before it began, given up by client or timeout, failed in the run, anything else (a bad request). */
export const FAILURE_REASONS = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

export interface Total {
  readonly count: number;
  readonly milliseconds: number;
}

/** Totals of the runs of one number of rows. */
export interface BatchTotals {
  readonly computeInput: Total;
  readonly compute: Total;
  readonly computeOutput: Total;
}

/** Batch sizes that are told apart. Who sends requests of any number of rows chooses them, so there must be a bound. */
const MOST_BATCH_SIZES = 256;

class Sum implements Total {
  count = 0;
  milliseconds = 0;

  add(milliseconds: number): void {
    this.count += 1;
    this.milliseconds += milliseconds;
  }
}

class BatchSums implements BatchTotals {
  readonly computeInput = new Sum();
  readonly compute = new Sum();
  readonly computeOutput = new Sum();
}

export class InferenceStatistics {
  readonly #success = new Sum();
  readonly #queue = new Sum();
  readonly #computeInput = new Sum();
  readonly #compute = new Sum();
  readonly #computeOutput = new Sum();
  readonly #failures: Readonly<Record<FailureReason, Sum>> = {
    REJECTED: new Sum(),
    CANCELED: new Sum(),
    BACKEND: new Sum(),
    OTHER: new Sum(),
  };
  readonly #batches = new Map<number, BatchSums>();
  #runs = 0;
  #rows = 0;
  #lastInference = 0;

  /** Requests with a result: from their admission to the answer, and of that the wait for a run and the parts of the run. */
  get success(): Total {
    return this.#success;
  }

  get queue(): Total {
    return this.#queue;
  }

  get computeInput(): Total {
    return this.#computeInput;
  }

  get compute(): Total {
    return this.#compute;
  }

  get computeOutput(): Total {
    return this.#computeOutput;
  }

  get runs(): number {
    return this.#runs;
  }

  /** Of all runs together. */
  get rows(): number {
    return this.#rows;
  }

  /** Milliseconds since the Unix epoch, of the last result; 0 before the first. */
  get lastInference(): number {
    return this.#lastInference;
  }

  /** By the rows of a run. */
  get batches(): ReadonlyMap<number, BatchTotals> {
    return this.#batches;
  }

  failures(reason: FailureReason): Total {
    return this.#failures[reason];
  }

  /** A request ended without a result, so long after its admission. */
  failed(reason: FailureReason, milliseconds: number): void {
    this.#failures[reason].add(milliseconds);
  }

  /** A request has its result, so long after its admission. `now` is milliseconds since the Unix epoch. */
  succeeded({ timing }: InferenceResult, milliseconds: number, now: number): void {
    this.#success.add(milliseconds);
    this.#queue.add(timing.queue);
    this.#computeInput.add(timing.computeInput);
    this.#compute.add(timing.compute);
    this.#computeOutput.add(timing.computeOutput);
    this.#lastInference = now;
  }

  /** A run ended, whether somebody still waits for its result or not; to be told of each of its requests, of which one counts. */
  ran({ timing, batch }: InferenceResult): void {
    if (!batch.first) return;
    this.#runs += 1;
    this.#rows += batch.rows;
    let sums = this.#batches.get(batch.rows);
    if (sums === undefined) {
      if (this.#batches.size >= MOST_BATCH_SIZES) return;
      sums = new BatchSums();
      this.#batches.set(batch.rows, sums);
    }
    sums.computeInput.add(timing.computeInput);
    sums.compute.add(timing.compute);
    sums.computeOutput.add(timing.computeOutput);
  }
}
