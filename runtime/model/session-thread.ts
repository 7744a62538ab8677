/** A session worker that is a thread of this process. */
import { Worker } from 'node:worker_threads';
import { errorText } from '../delivery/node-error.ts';
import { InferenceError } from '../inference.ts';
import type { ExecutionProvider } from './execution-providers.ts';
import type {
  FromWorker,
  SessionFacts,
  SessionOptions,
  SessionResult,
  SessionTensor,
  SessionWorker,
  ToWorker,
} from './session-worker.ts';

/** Beside this file: its TypeScript in a checkout, its bundle in dist/. */
const WORKER_FILE = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './runtime-worker.js', import.meta.url);

type Answer<Kind extends FromWorker['kind']> = Extract<FromWorker, { kind: Kind }>;

export class SessionThread implements SessionWorker {
  readonly failed: Promise<Error>;
  readonly #worker: Worker;
  readonly #ended: Promise<void>;
  #waiting: { resolve(answer: FromWorker): void; reject(error: Error): void } | undefined;
  #failure: Error | undefined;
  #closing = false;

  /** Starts the thread, which loads ONNX Runtime at once. `file` is another program only in tests. */
  constructor(name: string, file: URL = WORKER_FILE) {
    const worker = new Worker(file, { name });
    this.#worker = worker;
    worker.on('message', (answer: FromWorker) => {
      const waiting = this.#waiting;
      this.#waiting = undefined;
      waiting?.resolve(answer);
    });
    this.failed = new Promise((resolve) => {
      const fail = (error: Error): void => {
        this.#failure ??= error;
        this.#waiting?.reject(this.#failure);
        this.#waiting = undefined;
        if (!this.#closing) resolve(this.#failure);
      };
      worker.once('error', (error: unknown) => {
        fail(new Error(`The thread "${name}" of the model crashed: ${errorText(error)}`, { cause: error }));
      });
      worker.once('exit', (code) => fail(new Error(`The thread "${name}" of the model ended with exit code ${code}.`)));
    });
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()));
  }

  /** Finds out which of the providers work here, while the model may still be on its way. */
  prepare(executionProviders: readonly ExecutionProvider[]): Promise<Answer<'prepared'>> {
    return this.#ask({ kind: 'prepare', executionProviders }, 'prepared');
  }

  /** Creates the session from a file. Rejects with InferenceError, whose sentence names no path. */
  async create(path: string, options: SessionOptions): Promise<SessionFacts> {
    return (await this.#ask({ kind: 'create', path, options }, 'created')).facts;
  }

  async run(inputs: readonly SessionTensor[], outputs: readonly string[]): Promise<SessionResult> {
    const buffers = new Set(inputs.map(({ data }) => data.buffer));
    return (await this.#ask({ kind: 'run', inputs, outputs }, 'result', [...buffers])).result;
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#worker.postMessage({ kind: 'close' } satisfies ToWorker);
    }
    return this.#ended;
  }

  async #ask<Kind extends FromWorker['kind']>(
    message: ToWorker,
    kind: Kind,
    transfer: ArrayBuffer[] = [],
  ): Promise<Answer<Kind>> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#waiting !== undefined)
      throw new Error(`A session does one thing at a time; "${message.kind}" came too early.`);
    const answer = await new Promise<FromWorker>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(message, transfer);
    });
    if (answer.kind === 'failed') throw new InferenceError(answer.message);
    if (!isKind(answer, kind))
      throw new Error(`The thread of the model answered "${answer.kind}" to "${message.kind}".`);
    return answer;
  }
}

function isKind<Kind extends FromWorker['kind']>(answer: FromWorker, kind: Kind): answer is Answer<Kind> {
  return answer.kind === kind;
}
