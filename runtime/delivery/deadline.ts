import type { Cancel, Clock } from '../../common/platform/clock.ts';

export interface DeadlineLimits {
  readonly connectMilliseconds: number;
  /** Between two signs of life. */
  readonly idleMilliseconds: number;
}

/** Fewer in `idleMilliseconds` are no sign of life: at 16 KiB in 30 s a model of 100 MB would take two days. */
const LIFE_BYTES = 16 * 1024;

/** Nobody sees it. Without a reason each abort makes an error with a stack: a download of many parts spent 4 % of its time on that. */
const OVER = 'over';

/** Ends an exchange with a server, by its signal, when too little has happened for too long. */
export class Deadline {
  readonly #clock: Clock;
  readonly #limits: DeadlineLimits;
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  /** What took too long, once it did. */
  expired: string | undefined;
  #cancelIdle: Cancel | undefined;
  #bytes = 0;

  constructor(clock: Clock, limits: DeadlineLimits, signal: AbortSignal) {
    this.#clock = clock;
    this.#limits = limits;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
  }

  connecting(host: string): void {
    this.#arm(this.#limits.connectMilliseconds, `no connection to ${host} within`);
  }

  /** The server did something. */
  progress(): void {
    this.#bytes = 0;
    this.#arm(this.#limits.idleMilliseconds, 'the server sent nothing, or next to nothing, for');
  }

  received(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= LIFE_BYTES) this.progress();
  }

  close(): void {
    this.#cancelIdle?.();
    this.#controller.abort(OVER);
  }

  #arm(milliseconds: number, problem: string): void {
    this.#cancelIdle?.();
    this.#cancelIdle = this.#clock.after(milliseconds, () => {
      this.#expire(`${problem} ${milliseconds / 1000} s`);
    });
  }

  #expire(problem: string): void {
    this.expired ??= problem;
    this.#controller.abort();
  }
}
