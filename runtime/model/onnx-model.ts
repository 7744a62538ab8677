/**
 * A loaded model: it queues requests, gives a batch to each session that is free, and hands every request its own rows back. One run is in flight per
 * session, so a batch is what came in while the last one ran.
 */
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { ModelFacts } from '../../common/wire/announcement.ts';
import { batchKey } from '../batching/batch-key.ts';
import { BatchQueue, type BatchLimits, type Queued } from '../batching/batch-queue.ts';
import { handOver } from '../batching/hand-over.ts';
import { packInputs } from '../batching/pack-inputs.ts';
import { splitBatch } from '../batching/split-batch.ts';
import { splitOutputs } from '../batching/split-outputs.ts';
import {
  DEFAULT_PRIORITY,
  ExpiredError,
  InferenceError,
  type InferenceRequest,
  type InferenceResult,
  type Model,
  type Tensor,
} from '../inference.ts';
import { arrangeInputs } from './arrange-inputs.ts';
import { QuietWork, type BatchTrial } from './quiet-work.ts';
import type { SessionResult, SessionTensor, SessionWorker } from './session-worker.ts';
import { trialRun } from './trial-run.ts';

export interface OnnxModelOptions {
  readonly facts: ModelFacts;
  readonly executionProviders: readonly string[];
  readonly phases: Readonly<Record<string, number>>;
  readonly workers: readonly SessionWorker[];
  /** Whether axis 0 of the inputs counts rows, even if requests may not share a run. */
  readonly hasRows: boolean;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  /** Milliseconds after which a run of made-up inputs counts as hung. That of a request is its server's to watch. */
  readonly longestRun: number;
  /** Inputs of so many rows to measure with how large a batch pays; without it every batch may be as large as the limits allow. */
  readonly makeRows?: (rows: number) => readonly Tensor[] | undefined;
  /** What else to do once nobody asks; it must not reject. */
  readonly whenQuiet?: () => Promise<void>;
  readonly onMeasured?: (batching: ModelFacts['batching']) => void;
}

const ALONE: BatchLimits = { maxBatchSize: 1, maxDelayMilliseconds: 0 };

interface Waiting extends Queued {
  /** In the model's order. */
  readonly inputs: readonly Tensor[];
  readonly mayTakeInputs: boolean;
  readonly outputs: readonly string[];
  readonly signal: AbortSignal | undefined;
  readonly deadline: number;
  /** Listens and counts down no longer. */
  stopWaiting: () => void;
  readonly resolve: (result: InferenceResult) => void;
  readonly reject: (reason: unknown) => void;
}

export class OnnxModel implements Model {
  #facts: ModelFacts;
  readonly executionProviders: readonly string[];
  readonly phases: Readonly<Record<string, number>>;
  readonly failed: Promise<Error>;
  readonly #workers: readonly SessionWorker[];
  readonly #idle: SessionWorker[];
  readonly #queue: BatchQueue<Waiting>;
  readonly #outputNames: readonly string[];
  readonly #hasRows: boolean;
  readonly #clock: Clock;
  readonly #quietWork: QuietWork;
  /** A worker is gone, and with it the model. */
  readonly #break: (error: Error) => void;
  #order = 0;
  /**
   * When the runs began that go on; undefined between runs. No key is ever removed: V8 makes a new table at every few removals, in old space once the map is
   * there, 150 bytes for each run.
   */
  readonly #runs: Map<SessionWorker, number | undefined>;
  #cancelDelay: Cancel | undefined;
  /** Why nothing is taken any more. */
  #ended: Error | undefined;

  constructor(options: OnnxModelOptions) {
    const { facts, limits, workers } = options;
    this.#facts = facts;
    this.executionProviders = options.executionProviders;
    this.phases = options.phases;
    const { promise, resolve } = Promise.withResolvers<Error>();
    this.failed = promise;
    this.#break = (error) => {
      this.#end(error);
      resolve(error);
    };
    this.#workers = workers;
    this.#idle = [...workers];
    this.#runs = new Map(workers.map((worker) => [worker, undefined]));
    this.#queue = new BatchQueue(facts.batching.enabled ? limits : ALONE);
    this.#outputNames = facts.outputs.map(({ name }) => name);
    this.#hasRows = options.hasRows;
    this.#clock = options.clock;
    for (const { failed } of workers) void failed.then(this.#break);
    this.#quietWork = new QuietWork({
      clock: options.clock,
      sessions: {
        isQuiet: () => this.#queue.size === 0 && this.#idle.length === workers.length,
        take: () => this.#idle.pop(),
        giveBack: (worker) => {
          this.#idle.push(worker);
          this.#dispatch();
        },
      },
      trial: this.#batchTrial(options),
      afterwards: options.whenQuiet,
    });
  }

  get facts(): ModelFacts {
    return this.#facts;
  }

  get batchLimit(): number {
    return this.#queue.maxBatchSize;
  }

  get load(): Model['load'] {
    return { waiting: this.#queue.size, running: this.#begun().length };
  }

  hasRunSince(moment: number): boolean {
    return this.#begun().some((begun) => begun > moment);
  }

  infer(request: InferenceRequest): Promise<InferenceResult> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) throw this.#ended;
      const { signal } = request;
      signal?.throwIfAborted();
      const inputs = arrangeInputs(request.inputs, this.facts.inputs);
      const { priority = 0, deadline = Infinity } = request;
      const now = this.#clock.monotonic();
      if (deadline <= now) throw new ExpiredError();
      const rows = this.#hasRows ? (inputs[0]?.shape[0] ?? 1) : 1;
      const waiting: Waiting = {
        key: this.#facts.batching.enabled ? batchKey(request, inputs, rows) : undefined,
        rows,
        priority: priority === 0 ? DEFAULT_PRIORITY : priority,
        order: this.#order++,
        arrivedAt: now,
        inputs,
        mayTakeInputs: request.mayTakeInputs ?? false,
        outputs: request.outputs ?? this.#outputNames,
        signal,
        deadline,
        stopWaiting: () => undefined,
        resolve,
        reject,
      };
      this.#enqueue(waiting);
      this.#dispatch();
    });
  }

  async close(): Promise<void> {
    this.#end(new Error('The model is closed.'));
    await Promise.all([this.#quietWork.ended(), ...this.#workers.map((worker) => worker.close())]);
  }

  #begun(): number[] {
    return [...this.#runs.values()].filter((begun) => begun !== undefined);
  }

  #enqueue(waiting: Waiting): void {
    const { signal, deadline } = waiting;
    const ticket = this.#queue.push(waiting);
    const drop = (reason: unknown): void => {
      if (!this.#queue.remove(ticket)) return;
      waiting.stopWaiting();
      waiting.reject(reason);
    };
    const onAbort = (): void => drop(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    const left = deadline - this.#clock.monotonic();
    const cancel = left === Infinity ? undefined : this.#clock.after(left, () => drop(new ExpiredError()));
    // Named first: V8 puts a function that is written behind `object.property =` into old space, from where it kept each request, with its tensors and
    // its result, through every scavenge until the next full collection.
    const stopWaiting = (): void => {
      signal?.removeEventListener('abort', onAbort);
      cancel?.();
    };
    waiting.stopWaiting = stopWaiting;
  }

  #dispatch(): void {
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    if (this.#ended !== undefined) return;
    this.#quietWork.interrupt();
    while (this.#idle.length > 0) {
      const now = this.#clock.monotonic();
      const batch = this.#queue.take(now);
      if (batch.length === 0) {
        const due = this.#queue.dueAt();
        if (due === undefined) this.#quietWork.wait();
        else this.#cancelDelay = this.#clock.after(due - now, () => this.#dispatch());
        return;
      }
      const live = batch.filter((waiting) => this.#leave(waiting, now));
      const worker = live.length === 0 ? undefined : this.#idle.pop();
      if (worker === undefined) continue;
      this.#quietWork.yielded();
      void this.#run(worker, live, now);
    }
  }

  #batchTrial({ facts, limits, makeRows, longestRun, onMeasured }: OnnxModelOptions): BatchTrial | undefined {
    if (makeRows === undefined) return undefined;
    const run = trialRun({
      clock: this.#clock,
      makeRows,
      outputs: this.#outputNames,
      longest: longestRun,
      onHung: this.#break,
    });
    return {
      maxBatchSize: limits.maxBatchSize,
      run,
      onEnd: (measurement) => {
        const batching = measurement.decide(facts.batching.reason);
        const { enabled, maxBatchSize = limits.maxBatchSize } = batching;
        this.#facts = { ...facts, batching };
        this.#queue.setLimits(enabled ? { ...limits, maxBatchSize } : ALONE);
        onMeasured?.(batching);
      },
    };
  }

  /** It waits no longer; false if it has expired, which a busy thread's timers may not have said yet. */
  #leave({ deadline, stopWaiting, reject }: Waiting, now: number): boolean {
    stopWaiting();
    if (deadline > now) return true;
    reject(new ExpiredError());
    return false;
  }

  /** Settles every request of the batch, or puts them back; never rejects. */
  async #run(worker: SessionWorker, batch: readonly Waiting[], start: number): Promise<void> {
    this.#runs.set(worker, start);
    let answer: () => void = () => undefined;
    try {
      const packed = packBatch(batch);
      const packing = this.#clock.monotonic() - start;
      const result = await worker.run(packed, batch[0]?.outputs ?? []);
      this.#idle.push(worker);
      answer = () => this.#answer(batch, result, start, packing);
    } catch (error) {
      if (error instanceof InferenceError) this.#idle.push(worker);
      else this.#break(error instanceof Error ? error : new Error(String(error)));
      this.#fail(batch, error);
    }
    this.#runs.set(worker, undefined);
    // The session gets its next batch before this thread spends its time on answers.
    this.#dispatch();
    answer();
  }

  #answer(batch: readonly Waiting[], result: SessionResult, start: number, packing: number): void {
    const received = this.#clock.monotonic();
    // A request that ran alone gets all, whatever its rows.
    const parts =
      batch.length === 1
        ? [result.outputs]
        : splitOutputs(
            result.outputs,
            batch.map(({ rows }) => rows),
          );
    if (parts === undefined) {
      this.#fail(batch, new InferenceError('The model gave another number of rows than it got.'));
      this.#dispatch();
      return;
    }
    const { timing } = result;
    const computeInput = packing + timing.computeInput;
    const computeOutput = timing.computeOutput + this.#clock.monotonic() - received;
    let rows = 0;
    for (const waiting of batch) rows += waiting.rows;
    for (const [index, waiting] of batch.entries()) {
      waiting.resolve({
        outputs: parts[index] ?? [],
        timing: { queue: start - waiting.arrivedAt, computeInput, compute: timing.compute, computeOutput },
        batch: { requests: batch.length, rows, first: index === 0 },
      });
    }
  }

  /** One request's data must not fail the others': a failed batch runs again in parts, in its place in the order of all, without those that expired. */
  #fail(batch: readonly Waiting[], error: unknown): void {
    if (batch.length === 1 || !(error instanceof InferenceError) || this.#ended !== undefined) {
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const part of splitBatch(batch)) {
      // A key that no other request has: theirs name a datatype.
      const key = part.length === 1 ? undefined : `\0${this.#order++}`;
      for (const waiting of part) {
        if (waiting.signal?.aborted === true) waiting.reject(waiting.signal.reason);
        else this.#enqueue({ ...waiting, key, isComplete: true });
      }
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    this.#quietWork.stop();
    this.#cancelDelay?.();
    this.#cancelDelay = undefined;
    for (const { reject, stopWaiting } of this.#queue.clear()) {
      stopWaiting();
      reject(this.#ended);
    }
  }
}

/** Throws InferenceError if there is no memory for so much, which may be because of the company alone. */
function packBatch(batch: readonly Waiting[]): SessionTensor[] {
  const [only] = batch.length === 1 ? batch : [];
  const asTheyAre = only?.mayTakeInputs === true ? handOver(only.inputs) : undefined;
  if (asTheyAre !== undefined) return asTheyAre;
  try {
    return packInputs(batch.map(({ inputs }) => inputs));
  } catch (error) {
    throw new InferenceError('The inputs are too large for the memory of this replica.', { cause: error });
  }
}
