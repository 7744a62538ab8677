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

/** Who gives out the slots of a pod. */
export interface SlotGiver {
  returned(pod: Pod, isOwn: boolean): void;
}

/** In a pod whose slots this gateway gives out. */
export class LocalSlot implements Slot {
  readonly pod: Pod;
  readonly #clock: Clock;
  readonly #giver: SlotGiver;
  readonly #isOwn: boolean;

  /** `isOwn`: for a request of one of this gateway's clients. */
  constructor(pod: Pod, clock: Clock, giver: SlotGiver, isOwn: boolean) {
    this.pod = pod;
    this.#clock = clock;
    this.#giver = giver;
    this.#isOwn = isOwn;
  }

  answered(status: number): void {
    this.pod.answered(status, this.#clock.monotonic());
  }

  failed(reason: RestReason): void {
    this.pod.rest(reason, this.#clock.monotonic());
  }

  release(): void {
    this.#giver.returned(this.pod, this.#isOwn);
  }
}
