/** The port to the gateway that gives out the slots of a revision's pods, when that is another one. */
import type { Clock } from '../../common/platform/clock.ts';
import type { PodAddress } from '../../common/wire/announcement.ts';
import type { Pod } from './pod.ts';
import type { RestReason } from './pod-rest.ts';
import type { Slot } from './slot.ts';

export interface ClaimRequest {
  readonly namespace: string;
  readonly revision: string;
  /** Milliseconds that the request has waited already: who waits longer goes first. */
  readonly waited: number;
  /** It had a slot in a pod that did not take it, and goes before all others. */
  readonly again: boolean;
}

export interface GrantedPod extends PodAddress {
  readonly uid: string;
  readonly name: string;
}

/** What became of the request at its pod: the status of its answer, or why it did not take it. The owner leaves a pod alone that takes none. */
export type ClaimOutcome = number | RestReason;

export interface Claim {
  /** Gives the slot back, or the place if it has none yet. Once. */
  release(outcome: ClaimOutcome | undefined): void;
}

/** At most one is called, once, and none after `release`, nor when the way to the owner breaks: then the revision is told to look for its owner. */
export interface ClaimEvents {
  granted(pod: GrantedPod): void;
  denied(): void;
}

export interface SlotOwner {
  claim(request: ClaimRequest, events: ClaimEvents): Claim;
}

export class ClaimedSlot implements Slot {
  readonly pod: Pod;
  readonly #clock: Clock;
  readonly #claim: Claim;
  readonly #released: () => void;
  #outcome: ClaimOutcome | undefined;

  constructor(pod: Pod, clock: Clock, claim: Claim, released: () => void) {
    this.pod = pod;
    this.#clock = clock;
    this.#claim = claim;
    this.#released = released;
  }

  answered(status: number): void {
    this.#outcome = status;
    this.pod.answered(status, this.#clock.monotonic());
  }

  failed(reason: RestReason): void {
    this.#outcome = reason;
    this.pod.rest(reason, this.#clock.monotonic());
  }

  release(): void {
    this.#released();
    this.#claim.release(this.#outcome);
  }
}
