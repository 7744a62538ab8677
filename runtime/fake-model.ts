import { systemClock, type Cancel, type Clock } from '../common/platform/clock.ts';
import type { ModelFacts } from '../common/wire/announcement.ts';
import {
  DEFAULT_PRIORITY,
  ExpiredError,
  type InferenceRequest,
  type InferenceResult,
  type Model,
} from './inference.ts';

interface Waiting {
  readonly request: InferenceRequest;
  readonly resolve: (result: InferenceResult) => void;
  readonly reject: (reason: Error) => void;
  readonly stopWaiting: () => void;
}

/**
 * A model without ONNX: it answers every request with its first input under its output's name, a run at a time for each session. Held, it begins runs and
 * does not end them until it is released, like a model that computes for long; what waits behind them goes by priority, and is dropped by its signal or its
 * deadline, as the port says.
 */
export class FakeModel implements Model {
  readonly facts: ModelFacts;
  readonly batchLimit = 1;
  readonly executionProviders = ['CPU'];
  readonly phases = { fetch: 1, session: 2, warmUp: 3 };
  readonly failed: Promise<Error>;
  /** Makes the promise `failed` come true. */
  readonly fail: (error: Error) => void;
  /** Every one that came. */
  readonly requests: InferenceRequest[] = [];
  closed = false;
  #held = false;
  readonly #running: { readonly waiting: Waiting; readonly begun: number }[] = [];
  readonly #sessions: number;
  readonly #waiting: Waiting[] = [];
  readonly #failNext: Error[] = [];
  readonly #clock: Clock;
  #ended: Error | undefined;

  constructor(facts: Partial<ModelFacts> = {}, clock: Clock = systemClock, sessions = 1) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.facts = {
      sha256: '0'.repeat(64),
      sizeBytes: 100,
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
      batching: { enabled: false, reason: 'A fake does not batch.' },
      ...facts,
    };
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.fail = resolve;
  }

  get load(): { readonly waiting: number; readonly running: number } {
    return { waiting: this.#waiting.length, running: this.#running.length };
  }

  hasRunSince(moment: number): boolean {
    return this.#running.some(({ begun }) => begun > moment);
  }

  infer(request: InferenceRequest): Promise<InferenceResult> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      const { signal, deadline } = request;
      signal?.throwIfAborted();
      const left = deadline === undefined ? undefined : deadline - this.#clock.monotonic();
      if (left !== undefined && left <= 0) throw new ExpiredError();
      const drop = (reason: Error): void => {
        const index = this.#waiting.indexOf(waiting);
        if (index < 0) return;
        this.#waiting.splice(index, 1);
        waiting.reject(reason);
      };
      const onAbort = (): void => drop(signal?.reason as Error);
      const cancel: Cancel | undefined =
        left === undefined ? undefined : this.#clock.after(left, () => drop(new ExpiredError()));
      signal?.addEventListener('abort', onAbort);
      const stopWaiting = (): void => {
        cancel?.();
        signal?.removeEventListener('abort', onAbort);
      };
      const waiting: Waiting = {
        request,
        resolve,
        reject: (reason) => {
          stopWaiting();
          reject(reason);
        },
        stopWaiting,
      };
      const later = this.#waiting.findIndex((other) => priorityOf(other.request) > priorityOf(request));
      this.#waiting.splice(later < 0 ? this.#waiting.length : later, 0, waiting);
      this.#next();
    });
  }

  /** Runs that begin from now on do not end by themselves. */
  hold(): void {
    this.#held = true;
  }

  /** Ends the runs that go on, and every later one at once. */
  release(): void {
    this.#held = false;
    while (this.#running.length > 0) this.endLatest();
  }

  /** Ends the run that began last. */
  endLatest(): void {
    const ended = this.#running.pop()?.waiting;
    if (ended === undefined) return;
    const failure = this.#failNext.shift();
    if (failure === undefined) ended.resolve(this.#result(ended.request));
    else ended.reject(failure);
    this.#next();
  }

  /** The next run rejects with this. */
  failNext(error: Error): void {
    this.#failNext.push(error);
  }

  close(): Promise<void> {
    this.closed = true;
    this.#ended ??= new Error('The model is closed.');
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
    return Promise.resolve();
  }

  #next(): void {
    if (this.#running.length === this.#sessions) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    waiting.stopWaiting();
    this.#running.push({ waiting, begun: this.#clock.monotonic() });
    if (!this.#held) this.endLatest();
  }

  #result({ inputs, outputs }: InferenceRequest): InferenceResult {
    const [first] = inputs;
    const names = outputs ?? this.facts.outputs.map(({ name }) => name);
    return {
      outputs: first === undefined ? [] : names.map((name) => ({ ...first, name })),
      timing: { queue: 1, computeInput: 2, compute: 3, computeOutput: 4 },
      batch: { requests: 1, rows: first?.shape[0] ?? 1, first: true },
    };
  }
}

function priorityOf({ priority = 0 }: InferenceRequest): number {
  return priority === 0 ? DEFAULT_PRIORITY : priority;
}
