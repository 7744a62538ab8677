import type { IncomingHttpHeaders } from 'node:http';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { NotAdmitted } from '../../common/wire/headers.ts';
import { bodyBytes, decideAdmission, type Phase, type PodState } from './decide-admission.ts';

/** Milliseconds after which a drain that no SIGTERM followed is over: whoever ordered it has died, and the pod would be lost to everybody. */
export const DRAIN_LAPSE = 10_000;

/** Bodies of the largest size that have room in the pod together; small ones are many more. */
const LARGEST_BODIES = 4;

export interface GateOptions {
  readonly clock: Clock;
  readonly uid: string | undefined;
  readonly maxBodyBytes: number;
  readonly onPhase?: (phase: Phase) => void;
}

/** What the pod is doing now: its phase, and how many requests are in it. Decisions and their effect are one step, so nothing comes in between. */
export class Gate implements PodState {
  readonly uid: string | undefined;
  readonly maxBodyBytes: number;
  readonly maxBytes: number;
  readonly #clock: Clock;
  readonly #onPhase: (phase: Phase) => void;
  #opened = false;
  #terminating = false;
  #lapse: Cancel | undefined;
  #inFlight = 0;
  #bytes = 0;
  readonly #waitingForIdle: (() => void)[] = [];

  constructor({ clock, uid, maxBodyBytes, onPhase = () => undefined }: GateOptions) {
    this.#clock = clock;
    this.uid = uid;
    this.maxBodyBytes = maxBodyBytes;
    this.maxBytes = LARGEST_BODIES * maxBodyBytes;
    this.#onPhase = onPhase;
  }

  get phase(): Phase {
    if (this.#terminating || this.#lapse !== undefined) return 'Draining';
    return this.#opened ? 'Ready' : 'Starting';
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The model is warm. */
  open(): void {
    this.#change(() => {
      this.#opened = true;
    });
  }

  /** Takes a place, which `leave` gives back, or says why not. The body's bytes are those that the headers declare, unless they are known otherwise. */
  enter(headers: IncomingHttpHeaders, bytes = bodyBytes(this, headers)): NotAdmitted | undefined {
    const refusal = decideAdmission(this, headers, bytes);
    if (refusal === undefined) {
      this.#inFlight++;
      this.#bytes += bytes;
    }
    return refusal;
  }

  /** Memory for bytes that nobody announced before; false if the pod has no room for them. `give`, or `leave` with all of a request's, frees them. */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Of the request that entered with these headers, or bytes. */
  leave(headers: IncomingHttpHeaders, bytes = bodyBytes(this, headers)): void {
    this.#inFlight--;
    this.#bytes -= bytes;
    if (this.#inFlight > 0) return;
    for (const resolve of this.#waitingForIdle.splice(0)) resolve();
  }

  /** Admits nobody until the drain lapses; false, and no change, if it was to be done only when idle and is not. */
  drain({ ifIdle }: { readonly ifIdle: boolean }): boolean {
    if (ifIdle && this.#inFlight > 0) return false;
    this.#change(() => {
      this.#lapse?.();
      this.#lapse = this.#clock.after(DRAIN_LAPSE, () => {
        this.#change(() => {
          this.#lapse = undefined;
        });
      });
    });
    return true;
  }

  /** Admits nobody any more. */
  terminate(): void {
    this.#change(() => {
      this.#terminating = true;
      this.#lapse?.();
      this.#lapse = undefined;
    });
  }

  /** Resolves when no request is in the pod. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForIdle.push(resolve));
  }

  #change(apply: () => void): void {
    const before = this.phase;
    apply();
    if (this.phase !== before) this.#onPhase(this.phase);
  }
}
