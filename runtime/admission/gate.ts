import type { IncomingHttpHeaders } from 'node:http';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { NotAdmitted } from '../../common/wire/headers.ts';
import { bodyBytes, decideAdmission, type Phase, type PodState } from './decide-admission.ts';

/** Milliseconds after which a drain that no SIGTERM followed is over: whoever ordered it has died, and the pod would be lost to everybody. */
export const DRAIN_LAPSE = 10_000;

/** Bodies of the largest size that have room in the pod together, memory permitting; small ones are many more. */
const LARGEST_BODIES = 4;

/** Memory that a byte of a body takes: itself, what the model makes of it, and its answer (floats of 61 MiB, one request, took 3 times that). */
export const BODY_MEMORY = 3;

export interface GateOptions {
  readonly clock: Clock;
  readonly uid: string | undefined;
  readonly maxBodyBytes: number;
  readonly onPhase?: (phase: Phase) => void;
}

/** What the pod is doing now: its phase, and how many requests are in it. Decisions and their effect are one step, so nothing comes in between. */
export class Gate implements PodState {
  readonly uid: string | undefined;
  readonly #maxBodyBytes: number;
  readonly #clock: Clock;
  readonly #onPhase: (phase: Phase) => void;
  #opened = false;
  #terminating = false;
  #lapse: Cancel | undefined;
  #inFlight = 0;
  /** Of those that are in flight, the ones whose client waits. */
  #awaited = 0;
  #bytes = 0;
  #memory = 0;
  #memoryLimit = Infinity;
  readonly #waitingForIdle: (() => void)[] = [];
  readonly #waitingForDesertion: (() => void)[] = [];

  constructor({ clock, uid, maxBodyBytes, onPhase = () => undefined }: GateOptions) {
    this.#clock = clock;
    this.uid = uid;
    this.#maxBodyBytes = maxBodyBytes;
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

  /** Bytes that one body may have: as configured, or fewer where memory is short. */
  get maxBodyBytes(): number {
    return Math.min(this.#maxBodyBytes, Math.floor(this.#memoryLimit / BODY_MEMORY));
  }

  /** Bytes of bodies that there is room for now. */
  get room(): number {
    const left = Math.floor((this.#memoryLimit - this.#memory) / BODY_MEMORY);
    return Math.min(LARGEST_BODIES * this.#maxBodyBytes, left) - this.#bytes;
  }

  /** Bytes of memory that all requests take together at most, as far as that is known. */
  get memory(): number {
    return BODY_MEMORY * this.#bytes + this.#memory;
  }

  get memoryLimit(): number {
    return this.#memoryLimit;
  }

  /** The model is warm, and requests may take so much memory together. */
  open(memoryLimit = Infinity): void {
    this.#change(() => {
      this.#memoryLimit = memoryLimit;
      this.#opened = true;
    });
  }

  /** Takes a place, which `leave` gives back, or says why not. The body's bytes are those that the headers declare, unless they are known otherwise. */
  enter(headers: IncomingHttpHeaders, bytes = bodyBytes(this, headers)): NotAdmitted | undefined {
    const refusal = decideAdmission(this, headers, bytes);
    if (refusal === undefined) {
      this.#inFlight++;
      this.#awaited++;
      this.#bytes += bytes;
    }
    return refusal;
  }

  /** Memory for bytes that nobody announced before; false if the pod has no room for them. `give`, or `leave` with all of a request's, frees them. */
  take(bytes: number): boolean {
    if (bytes > this.room) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }

  /** Memory beyond that of bodies; false if there is none. `giveMemory` frees it. */
  takeMemory(bytes: number): boolean {
    if (this.memory + bytes > this.#memoryLimit) return false;
    this.#memory += bytes;
    return true;
  }

  giveMemory(bytes: number): void {
    this.#memory -= bytes;
  }

  /** The client of a request that entered has its answer, or is gone. */
  desert(): void {
    this.#awaited--;
    if (this.#awaited > 0) return;
    for (const resolve of this.#waitingForDesertion.splice(0)) resolve();
  }

  /** Resolves when no client waits for an answer, though runs may go on. */
  deserted(): Promise<void> {
    if (this.#awaited === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForDesertion.push(resolve));
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
