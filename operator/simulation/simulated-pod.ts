import type { Clock } from '../../common/platform/clock.ts';
import type { PodState } from '../pods/pod-state.ts';

/** Work that a pod was given. */
export interface Work {
  readonly serviceSeconds: number;
  begun(): void;
  done(): void;
}

/** A pod that runs so many requests at once, each as fast as alone, and the others in the order in which they came. */
export class SimulatedPod {
  readonly state: PodState;
  isReady = false;
  readonly #clock: Clock;
  readonly #slots: number;
  readonly #waiting: Work[] = [];
  #running = 0;

  constructor(clock: Clock, name: string, slots: number) {
    this.#clock = clock;
    this.#slots = slots;
    this.state = {
      name,
      uid: name,
      phase: 'Starting',
      createdAt: clock.now(),
      attempt: 0,
      address: undefined,
      failure: undefined,
      startDeadline: undefined,
    };
  }

  /** As the operator sees it. */
  get observed(): PodState {
    return this.isReady ? { ...this.state, phase: 'Ready' } : this.state;
  }

  get inFlight(): number {
    return this.#running + this.#waiting.length;
  }

  take(work: Work): void {
    if (this.#running < this.#slots) this.#run(work);
    else this.#waiting.push(work);
  }

  #run(work: Work): void {
    this.#running += 1;
    work.begun();
    this.#clock.after(work.serviceSeconds * 1000, () => {
      this.#running -= 1;
      work.done();
      const next = this.#waiting.shift();
      if (next !== undefined) this.#run(next);
    });
  }
}
