import type { DemandNow } from './adjustments/adjustment.ts';
import type { RevisionKey } from './scalable.ts';

/** Where the autoscaler learns of demand. Times are seconds of the clock that never jumps. */
export interface DemandSource {
  /** One listener; it has to be there before the first record is. */
  listen(listener: DemandListener): void;
  /**
   * Hands every sample of the seconds that are over in all gateways to the listener and returns the last such second: up to it, a second without a
   * sample had no demand. Undefined while no gateway is heard, when nothing is known.
   */
  settle(now: number): number | undefined;
  demandOf(key: RevisionKey): DemandNow;
}

export interface DemandListener {
  /** Requests in the gateways went from none to some. Called at once. */
  appeared(key: RevisionKey): void;
  /**
   * Average concurrency and arrived requests in a second, or an addition to them: values of one second add up. One for a second that is settled
   * already can come when a gateway was cut off for a while, and can be negative when it takes back what was assumed meanwhile.
   */
  sample(key: RevisionKey, second: number, concurrency: number, requests: number): void;
}
