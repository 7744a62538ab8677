/** A session worker that is a thread of this process. */
import { InferenceError } from '../inference.ts';
import type { ExecutionProvider } from './execution-providers.ts';
import {
  buffersOf,
  type FromWorker,
  type MissingProvider,
  type SessionFacts,
  type SessionOptions,
  type SessionResult,
  type SessionTensor,
  type SessionWorker,
  type TensorMessage,
  type ToWorker,
} from './session-worker.ts';
import { endThread, type StartedThread } from './start-thread.ts';

type Kind = FromWorker[0];
type Answer<Of extends Kind> = Extract<FromWorker, readonly [Of, ...unknown[]]>;

/** What a thread found out before it has a model. */
export interface PreparedSession {
  readonly available: readonly ExecutionProvider[];
  readonly missing: readonly MissingProvider[];
  /** ONNX Runtime's. */
  readonly version: string;
}

export class SessionThread implements SessionWorker {
  readonly failed: Promise<Error>;
  readonly #thread: StartedThread;
  #waiting: { take(answer: FromWorker): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;
  #closing = false;

  constructor(thread: StartedThread) {
    this.#thread = thread;
    const { worker, died } = thread;
    worker.on('message', (answer: FromWorker) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.take(answer);
    });
    this.failed = new Promise((resolve) => {
      void died.then((error) => {
        this.#failure = error;
        this.#waiting?.reject(error);
        this.#waiting = undefined;
        if (!this.#closing) resolve(error);
      });
    });
  }

  /** Finds out which of the providers work here, while the model may still be on its way. */
  async prepare(executionProviders: readonly ExecutionProvider[]): Promise<PreparedSession> {
    const [, available, missing, version] = await this.#ask(['prepare', executionProviders], 'prepared');
    return { available, missing, version };
  }

  /** Creates the session from a file. Rejects with InferenceError, whose sentence names no path. */
  async create(path: string, options: SessionOptions): Promise<SessionFacts> {
    return (await this.#ask(['create', path, options], 'created'))[1];
  }

  async run(inputs: readonly SessionTensor[], outputs: readonly string[]): Promise<SessionResult> {
    const tensors = inputs.map(({ name, datatype, shape, data }): TensorMessage => [name, datatype, shape, data]);
    const [, results, computeInput, compute, computeOutput] = await this.#ask(
      ['run', tensors, outputs],
      'result',
      buffersOf(tensors),
    );
    return {
      outputs: results.map(([name, datatype, shape, data]) => ({ name, datatype, shape, data })),
      timing: { computeInput, compute, computeOutput },
    };
  }

  close(): Promise<void> {
    this.#closing = true;
    return endThread(this.#thread);
  }

  #ask<Of extends Kind>(message: ToWorker, kind: Of, transfer: ArrayBuffer[] = []): Promise<Answer<Of>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#waiting !== undefined) {
        throw new Error(`A session does one thing at a time; "${message[0]}" came too early.`);
      }
      const take = (answer: FromWorker): void => {
        if (isKind(answer, kind)) resolve(answer);
        else if (answer[0] === 'failed') reject(new InferenceError(answer[1]));
        else reject(new Error(`The thread of the model answered "${answer[0]}" to "${message[0]}".`));
      };
      this.#waiting = { take, reject };
      this.#thread.worker.postMessage(message, transfer);
    });
  }
}

function isKind<Of extends Kind>(answer: FromWorker, kind: Of): answer is Answer<Of> {
  return answer[0] === kind;
}
