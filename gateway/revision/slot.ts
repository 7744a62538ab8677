/** A request's place in a pod, until it is released. */
import type { Clock } from '../../common/platform/clock.ts';
import type { Pod } from './pod.ts';
import type { RestReason } from './pod-rest.ts';

export interface Slot {
  readonly pod: Pod;
  /** The pod answers, with this status. */
  answered(status: number): void;
  /** The pod did not take the request, and is left alone for a while. */
  failed(reason: RestReason): void;
  /** Once. */
  release(): void;
}

/** In a pod whose slots this gateway gives out. */
export class LocalSlot implements Slot {
  readonly pod: Pod;
  readonly #clock: Clock;
  readonly #released: (pod: Pod) => void;

  constructor(pod: Pod, clock: Clock, released: (pod: Pod) => void) {
    this.pod = pod;
    this.#clock = clock;
    this.#released = released;
  }

  answered(status: number): void {
    this.pod.answered(status, this.#clock.monotonic());
  }

  failed(reason: RestReason): void {
    this.pod.rest(reason, this.#clock.monotonic());
  }

  release(): void {
    this.#released(this.pod);
  }
}
