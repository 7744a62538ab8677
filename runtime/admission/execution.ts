import type { Cancel, Clock } from '../../common/platform/clock.ts';

export interface ExecutionOptions {
  readonly clock: Clock;
  /** Milliseconds from admission until the client is answered without a result. */
  readonly timeout: number;
  readonly onTimeout: () => void;
  /** A run has gone on past twice the timeout; it cannot be cancelled. */
  readonly onHung: () => void;
  /** The place is free: the client is served or gone, and no run goes on. */
  readonly onEnd: () => void;
}

/** Why a request that waited for its run no longer does. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/**
 * One admitted request, from its admission until its place is free. A run cannot be cancelled, so the place of a client that left or was told 504
 * stays taken until the run ends; a request that still waits for a run is dropped by the signal.
 */
export class Execution {
  readonly admittedAt: number;
  readonly #options: ExecutionOptions;
  readonly #abort = new AbortController();
  #timer: Cancel;
  #running = false;
  #held = 0;
  #closed = false;

  constructor(options: ExecutionOptions) {
    const { clock, timeout } = options;
    this.#options = options;
    this.admittedAt = clock.monotonic();
    this.#timer = clock.after(timeout, () => {
      this.#timer = clock.after(timeout, () => {
        if (this.#running) options.onHung();
      });
      this.#abort.abort(new Abandoned('The execution timed out.'));
      options.onTimeout();
    });
  }

  /** Nobody waits for the result any more. */
  get abandoned(): boolean {
    return this.#closed || this.#abort.signal.aborted;
  }

  /** The run, and the wait for it. Rejects with Abandoned, and runs nothing, when the client is already served or gone. */
  async run<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.abandoned) throw new Abandoned('The client left before the run.');
    this.#running = true;
    try {
      return await task(this.#abort.signal);
    } finally {
      this.#running = false;
      this.#timer();
      this.#endIfDone();
    }
  }

  /** Other work on the request that goes on without its client, and keeps memory: the place stays taken until it ends. */
  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await work;
    } finally {
      this.#held -= 1;
      this.#endIfDone();
    }
  }

  /** The client has its answer, or is gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#running) this.#abort.abort(new Abandoned('The client left.'));
    else this.#timer();
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#closed && !this.#running && this.#held === 0) this.#options.onEnd();
  }
}
