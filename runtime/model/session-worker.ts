/** The port between the model's queue and one inference session, and the messages that cross to the session's thread. */
import type { SessionSettings } from '../../common/wire/runtime-environment.ts';
import type { Datatype } from '../inference.ts';
import type { ValueMetadata } from './declared-tensor.ts';
import type { ExecutionProvider } from './execution-providers.ts';

/** A tensor on its way to or from a session: aligned little-endian elements, BYTES as bytes-elements.ts has them. */
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

/**
 * A tensor on its way: name, datatype, shape and data. Messages are lists, because what copying an object costs is half the names of its properties: a
 * run's two messages took 12 µs as objects and take 6 (all of it hot; several times that with one connection).
 */
export type TensorMessage = readonly [string, Datatype, readonly number[], Uint8Array<ArrayBuffer>];

export type ToWorker =
  | readonly ['prepare', readonly ExecutionProvider[]]
  /** The path of a model. */
  | readonly ['create', string, SessionOptions]
  /** Inputs, and the names of the outputs that are wanted. */
  | readonly ['run', readonly TensorMessage[], readonly string[]]
  | readonly ['close'];

/** What ONNX Runtime says of the loaded model. */
export interface SessionFacts {
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
}

export type FromWorker =
  /** Which providers work and which do not, and ONNX Runtime's version. */
  | readonly ['prepared', readonly ExecutionProvider[], readonly MissingProvider[], string]
  | readonly ['created', SessionFacts]
  /** Outputs in the order they were asked for, and milliseconds: `computeInput`, `compute`, `computeOutput`. */
  | readonly ['result', readonly TensorMessage[], number, number, number]
  /** A sentence fit for a client. */
  | readonly ['failed', string];

/** What a message hands over with its tensors, each once. */
export function buffersOf(tensors: readonly TensorMessage[]): ArrayBuffer[] {
  const buffers: ArrayBuffer[] = [];
  for (const [, , , { buffer }] of tensors) if (!buffers.includes(buffer)) buffers.push(buffer);
  return buffers;
}

/** A provider that was asked for and does not work here, with ONNX Runtime's reason. */
export interface MissingProvider {
  readonly provider: ExecutionProvider;
  readonly reason: string;
}
