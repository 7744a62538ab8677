/**
 * Tells a pod that works on requests from one whose node is gone: nothing comes from either, and of the second no end of a connection tells, for minutes if
 * a request was on its way. But only to the first can one connect, for that is its kernel's business, however busy the pod is.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../common/platform/clock.ts';

/** Between two looks; a little less than what requests wait before they ask, so that none asks just too early. */
const LOOK_MILLISECONDS = 4_000;

/** After so long without a look, what was seen says nothing of now. */
const STALE_MILLISECONDS = 15_000;

/** Connections in a row that came to nothing. One alone may be a SYN that was lost twice, or a pod whose backlog was full. */
const FAILURES = 2;

export class PodReach {
  readonly #clock: Clock;
  readonly #dial: () => Socket;
  readonly #onLost: () => void;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  /** `onLost` is called when it turns out that the pod cannot be reached any more. */
  constructor(clock: Clock, dial: () => Socket, onLost: () => void = () => undefined) {
    this.#clock = clock;
    this.#dial = dial;
    this.#onLost = onLost;
  }

  /** As far as is known. To be asked again by who hears nothing: each time has a look for the next, unless there was one just now. */
  isLost(): boolean {
    const since = this.#clock.monotonic() - this.#lookedAt;
    if (since > STALE_MILLISECONDS) this.#failures = 0;
    if (since >= LOOK_MILLISECONDS) this.#look();
    return this.#failures >= FAILURES;
  }

  #look(): void {
    this.#lookedAt = this.#clock.monotonic();
    const socket = this.#dial();
    socket.once('connect', () => {
      this.#failures = 0;
      socket.destroy();
    });
    socket.once('error', () => {
      this.#failures += 1;
      if (this.#failures === FAILURES) this.#onLost();
    });
  }
}
