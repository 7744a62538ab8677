import type { Cancel, Clock } from '../../common/platform/clock.ts';

export interface DeadlineLimits {
  readonly connectMilliseconds: number;
  /** Between two signs of life. */
  readonly idleMilliseconds: number;
  readonly totalMilliseconds: number;
}

/** Ends an exchange with a server, by its signal, when nothing has happened for too long or all of it takes too long. */
export class Deadline {
  readonly #clock: Clock;
  readonly #limits: DeadlineLimits;
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  /** What took too long, once it did. */
  expired: string | undefined;
  #cancelIdle: Cancel | undefined;
  readonly #cancelTotal: Cancel;

  constructor(clock: Clock, limits: DeadlineLimits, signal: AbortSignal) {
    this.#clock = clock;
    this.#limits = limits;
    this.signal = AbortSignal.any([signal, this.#controller.signal]);
    this.#cancelTotal = clock.after(limits.totalMilliseconds, () => {
      this.#expire(`it took longer than ${limits.totalMilliseconds / 1000} s`);
    });
  }

  connecting(host: string): void {
    this.#arm(this.#limits.connectMilliseconds, `no connection to ${host} within`);
  }

  /** Something arrived. */
  progress(): void {
    this.#arm(this.#limits.idleMilliseconds, 'the server sent nothing for');
  }

  close(): void {
    this.#cancelIdle?.();
    this.#cancelTotal();
    this.#controller.abort();
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
