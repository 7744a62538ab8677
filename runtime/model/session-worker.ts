/** The port between the model's queue and one inference session, and the messages that cross to the session's thread. */
import type { SessionSettings } from '../../common/wire/runtime-environment.ts';
import type { Datatype } from '../inference.ts';
import type { ValueMetadata } from './declared-tensor.ts';
import type { ExecutionProvider } from './execution-providers.ts';

/** A tensor on its way to or from a session: aligned little-endian elements, BYTES packed (see packed-bytes.ts). */
export interface SessionTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface SessionResult {
  /** In the order they were asked for. */
  readonly outputs: readonly SessionTensor[];
  /** Milliseconds that making the feeds, the run, and taking the outputs apart took. */
  readonly timing: { readonly computeInput: number; readonly compute: number; readonly computeOutput: number };
}

/** One session. It does one run at a time: the caller awaits each before the next. */
export interface SessionWorker {
  /**
   * Hands the buffers of the inputs over: they are unusable afterwards. Outputs are given by name. Rejects with InferenceError when ONNX Runtime
   * refuses the inputs, and with another error when the worker has died.
   */
  run(inputs: readonly SessionTensor[], outputs: readonly string[]): Promise<SessionResult>;
  /** Resolves if the worker ends without having been asked to. */
  readonly failed: Promise<Error>;
  /** Resolves once the thread has ended; never ends it inside a run, which would abort the process. */
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly executionProviders: readonly ExecutionProvider[];
  readonly intraOpThreads: number;
  readonly settings?: SessionSettings | undefined;
  /** Where to write the graph as it was rewritten, as far as that fits any CPU. */
  readonly optimisedPath?: string;
}

export type ToWorker =
  | { readonly kind: 'prepare'; readonly executionProviders: readonly ExecutionProvider[] }
  | { readonly kind: 'create'; readonly path: string; readonly options: SessionOptions }
  | { readonly kind: 'run'; readonly inputs: readonly SessionTensor[]; readonly outputs: readonly string[] }
  | { readonly kind: 'close' };

/** What ONNX Runtime says of the loaded model. */
export interface SessionFacts {
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
}

export type FromWorker =
  | {
      readonly kind: 'prepared';
      readonly available: readonly ExecutionProvider[];
      readonly missing: readonly MissingProvider[];
      /** ONNX Runtime's. */
      readonly version: string;
    }
  | { readonly kind: 'created'; readonly facts: SessionFacts }
  | { readonly kind: 'result'; readonly result: SessionResult }
  /** `message` is fit for a client. */
  | { readonly kind: 'failed'; readonly message: string };

/** A provider that was asked for and does not work here, with ONNX Runtime's reason. */
export interface MissingProvider {
  readonly provider: ExecutionProvider;
  readonly reason: string;
}
