/** A session for tests: runs wait until the test ends them, and what the port forbids is an error. */
import type { SessionResult, SessionTensor, SessionWorker } from './session-worker.ts';

export interface FakeRun {
  readonly inputs: readonly SessionTensor[];
  readonly outputs: readonly string[];
  /** Ends the run with these outputs; by default with its inputs, in 2 ms, named as the outputs that were asked for. */
  succeed(outputs?: readonly SessionTensor[], milliseconds?: number): void;
  fail(error: Error): void;
}

export class FakeSessionWorker implements SessionWorker {
  /** Every run so far, the last of which may be going on. */
  readonly runs: FakeRun[] = [];
  readonly failed: Promise<Error>;
  closed = false;
  #running = false;
  #ended: Promise<void> = Promise.resolve();
  #reject: ((error: Error) => void) | undefined;
  #die: ((error: Error) => void) | undefined;

  constructor() {
    this.failed = new Promise((resolve) => {
      this.#die = resolve;
    });
  }

  run(given: readonly SessionTensor[], outputs: readonly string[]): Promise<SessionResult> {
    if (this.#running || this.closed) {
      return Promise.reject(new Error('A session does one run at a time, and none once closed.'));
    }
    this.#running = true;
    const buffers = new Set(given.map(({ data }) => data.buffer));
    const inputs = structuredClone(given, { transfer: [...buffers] });
    const running = new Promise<SessionResult>((resolve, reject) => {
      this.#reject = reject;
      this.runs.push({
        inputs,
        outputs,
        succeed: (results = echo(inputs, outputs), milliseconds = 2) =>
          resolve({ outputs: results, timing: { computeInput: 1, compute: milliseconds, computeOutput: 3 } }),
        fail: reject,
      });
    }).finally(() => {
      this.#running = false;
    });
    this.#ended = running.then(
      () => undefined,
      () => undefined,
    );
    return running;
  }

  /** The thread crashes. */
  die(error: Error): void {
    this.#reject?.(error);
    this.#die?.(error);
  }

  close(): Promise<void> {
    this.closed = true;
    return this.#ended;
  }
}

function echo(inputs: readonly SessionTensor[], outputs: readonly string[]): SessionTensor[] {
  return outputs.flatMap((name, index) => {
    const input = inputs[index];
    return input === undefined ? [] : [{ ...input, name }];
  });
}
