/** The port between the server, which speaks HTTP, and the model, which runs in worker threads. */
import type { ModelFacts } from '../common/wire/announcement.ts';
import type { StartFailure, StartFailureReason } from '../common/wire/runtime-environment.ts';

/** The Open Inference Protocol's datatypes with their bytes an element; BYTES is of any length. */
export const DATATYPE_BYTES = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  FP32: 4,
  FP64: 8,
  BYTES: undefined,
} as const;
export type Datatype = keyof typeof DATATYPE_BYTES;

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Row-major elements: little-endian bytes, of any alignment (a view into the request's body); BYTES as bytes-elements.ts has them. */
  readonly data: Uint8Array;
}

export interface InferenceRequest {
  /** Already checked against the model's inputs: every name once, dtypes and fixed dimensions right. */
  readonly inputs: readonly Tensor[];
  /** Nobody else reads the memory of the inputs, so the model may take it: they are then unusable. */
  readonly mayTakeInputs?: boolean;
  /** Names of the outputs wanted; all of them if absent. */
  readonly outputs?: readonly string[];
  /** Aborts while the request still waits for its run; a run that began goes on. */
  readonly signal?: AbortSignal;
  /** Which of those that wait goes first: 1 before 2 and so on; 0 or absent is DEFAULT_PRIORITY. */
  readonly priority?: number;
  /** Milliseconds of the model's Clock.monotonic by which its run must have begun. */
  readonly deadline?: number;
}

/** Priorities are 1 (highest) to LOWEST_PRIORITY. */
export const LOWEST_PRIORITY = 8;
/** The middle, so that a request can be put before as well as behind those that name none. */
export const DEFAULT_PRIORITY = 4;

export interface InferenceResult {
  readonly outputs: readonly Tensor[];
  /** Milliseconds. */
  readonly timing: {
    readonly queue: number;
    readonly computeInput: number;
    readonly compute: number;
    readonly computeOutput: number;
  };
  /** Requests and rows that shared the run with this one, itself included; `first` is true for one request of each run. */
  readonly batch: { readonly requests: number; readonly rows: number; readonly first: boolean };
}

/** A model that is loaded and warm. */
export interface Model {
  /** `batching` changes once, when it was measured what pays. */
  readonly facts: ModelFacts;
  /** The most rows of different requests that share a run now; 1 where none do. */
  readonly batchLimit: number;
  /** Providers in use, CPU last; shorter than what was asked for where a fall-back happened. */
  readonly executionProviders: readonly string[];
  /** Milliseconds that each phase of the load took: fetch, session, warmUp, … */
  readonly phases: Readonly<Record<string, number>>;
  /** Requests that wait for a run, and runs that are going on. */
  readonly load: { readonly waiting: number; readonly running: number };
  /** Whether a run goes on that began after this moment of the model's Clock.monotonic: a session that works, though others may hang. */
  hasRunSince(moment: number): boolean;
  /** Resolves if a worker ends by itself: nothing will be answered any more, so the process must end. Pending for ever otherwise. */
  readonly failed: Promise<Error>;
  /**
   * Rejects with InferenceError when the run failed on this request's data, with ExpiredError when its deadline passed before its run began, with the
   * signal's reason when that aborted while the request waited, and with a plain Error when the model is closed or failed.
   */
  infer(request: InferenceRequest): Promise<InferenceResult>;
  /** Ends the workers once no run is going on (ending one inside a run would abort the whole process). */
  close(): Promise<void>;
}

/** Why the model could not be made ready. */
export class StartError extends Error implements StartFailure {
  override readonly name = 'StartError';
  readonly reason: StartFailureReason;

  constructor(reason: StartFailureReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The run itself failed on inputs that passed every check: the client's data, not the server, is wrong or the model is. */
export class InferenceError extends Error {
  override readonly name = 'InferenceError';
}

/** The request's deadline passed while it waited, so it was never run. */
export class ExpiredError extends Error {
  override readonly name = 'ExpiredError';

  constructor() {
    super('Request timeout expired: its time passed before the model was free for it.');
  }
}
