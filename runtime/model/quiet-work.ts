/**
 * What a loaded model does for itself when nobody asks: it measures with how large a batch pays, then whatever else was put off. Requests that come
 * meanwhile wait for one run at most, and a start's first requests find it free.
 */
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import { BatchMeasurement } from '../batching/batch-measurement.ts';
import type { SessionWorker } from './session-worker.ts';

/** Milliseconds without a request after which it begins. */
const QUIET = 1000;
/** Milliseconds after which it measures between the runs of requests: a model that is never idle needs to know most of all. */
const LATEST = 10_000;

/** The sessions, as far as the requests leave them. */
export interface FreeSessions {
  /** Whether no request waits or runs. */
  isQuiet(): boolean;
  take(): SessionWorker | undefined;
  /** Gives it to the requests that came meanwhile, if any. */
  giveBack(session: SessionWorker): void;
}

export interface BatchTrial {
  readonly maxBatchSize: number;
  /** Milliseconds that a run of so many made-up rows took; undefined if there can be none. Rejects when the session has died. */
  readonly run: (session: SessionWorker, rows: number) => Promise<number | undefined>;
  readonly onEnd: (measurement: BatchMeasurement) => void;
}

export interface QuietWorkOptions {
  readonly clock: Clock;
  readonly sessions: FreeSessions;
  readonly trial: BatchTrial | undefined;
  /** Must not reject. */
  readonly afterwards: (() => Promise<void>) | undefined;
}

export class QuietWork {
  readonly #clock: Clock;
  readonly #sessions: FreeSessions;
  readonly #latest: number;
  #trial: (BatchTrial & { readonly measurement: BatchMeasurement }) | undefined;
  #afterwards: (() => Promise<void>) | undefined;
  #background: Promise<void> | undefined;
  #cancel: Cancel | undefined;
  #isMeasuring = false;
  /** Where both wait, a batch of requests goes between two runs of the measurement. */
  #isRequestsTurn = false;

  constructor({ clock, sessions, trial, afterwards }: QuietWorkOptions) {
    this.#clock = clock;
    this.#sessions = sessions;
    this.#latest = clock.monotonic() + LATEST;
    this.#trial = trial && { ...trial, measurement: new BatchMeasurement(trial.maxBatchSize) };
    this.#afterwards = afterwards;
    this.wait();
  }

  /** Before requests are given to sessions: takes one for itself if it has been put off for too long. */
  interrupt(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const isDue = this.#trial !== undefined && this.#latest <= this.#clock.monotonic();
    if (isDue && !this.#isRequestsTurn) void this.#measure();
  }

  /** Requests have had their turn. */
  yielded(): void {
    this.#isRequestsTurn = false;
  }

  /** No request waits: counts the time until it may begin. */
  wait(): void {
    if (!this.#sessions.isQuiet() || (this.#trial === undefined && this.#afterwards === undefined)) return;
    this.#cancel = this.#clock.after(QUIET, () => {
      if (this.#trial !== undefined) {
        void this.#measure();
        return;
      }
      this.#background = this.#afterwards?.();
      this.#afterwards = undefined;
    });
  }

  /** Begins nothing more. */
  stop(): void {
    this.#trial = undefined;
    this.#afterwards = undefined;
    this.#cancel?.();
  }

  /** Resolves when what was put off, and has begun, has ended; runs of the measurement end with their session. */
  ended(): Promise<void> {
    return this.#background ?? Promise.resolve();
  }

  /** One run of the measurement on a session that is free, then the requests that came meanwhile, then the next. Never rejects. */
  async #measure(): Promise<void> {
    const trial = this.#trial;
    const rows = trial?.measurement.next;
    const session = rows === undefined || this.#isMeasuring ? undefined : this.#sessions.take();
    if (trial === undefined || rows === undefined || session === undefined) return;
    const { measurement } = trial;
    this.#isMeasuring = true;
    try {
      const milliseconds = await trial.run(session, rows);
      if (milliseconds === undefined) measurement.stop();
      else measurement.record(milliseconds);
    } catch {
      // The session's own promise tells of its death, which ends the model.
      return;
    }
    this.#isMeasuring = false;
    this.#isRequestsTurn = true;
    if (measurement.next === undefined && this.#trial !== undefined) {
      this.#trial = undefined;
      trial.onEnd(measurement);
    }
    this.#sessions.giveBack(session);
    if (this.#trial === undefined || !this.#sessions.isQuiet()) return;
    this.#cancel?.();
    void this.#measure();
  }
}
