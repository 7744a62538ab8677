import type { WindowAverages } from '../scalable.ts';
import { delayed, type DelayWindow } from './delay-window.ts';

/**
 * Knative's pod autoscaler as one pure function: how many replicas the windows ask for. What we do differently on purpose is not here but in the
 * adjustments around it, so that this part can be held against Knative's own decisions tick by tick.
 */
export interface KpaSettings {
  /** What one replica should carry, in units of the averages. */
  readonly target: number;
  /** Panic begins when the panic window asks for this many times the replicas there are: 2 for 200 %. */
  readonly panicThreshold: number;
  /** One step up or down goes at most to this multiple or fraction of the ready replicas. */
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly stableWindowSeconds: number;
  readonly scaleDownDelaySeconds: number;
  /** Any demand asks for at least this many. */
  readonly activationReplicas: number;
  /** Without traffic it may go down in one step and without delay. */
  readonly reachable: boolean;
}

/** What the core looks at. */
export interface KpaObservation {
  readonly readyReplicas: number;
  /** Window averages; undefined while the windows are empty. */
  readonly averages: WindowAverages | undefined;
}

/** What one decision leaves for the next. */
export interface KpaState {
  /** When the panic threshold was last crossed, in the seconds of `now`; undefined outside of panic. */
  readonly panicSince: number | undefined;
  /** The most replicas wanted during this panic. */
  readonly panicPeak: number;
  readonly delay: DelayWindow;
}

/** What the windows ask for. */
export interface KpaDecision {
  /** Undefined: there is no data to decide on, leave the scale alone. */
  readonly desired: number | undefined;
  readonly state: KpaState;
}

/** Decides from the windows and the state that the last decision left. `now` is in seconds of a clock that does not jump. */
export function decideKpa(
  settings: KpaSettings,
  observation: KpaObservation,
  state: KpaState,
  now: number,
): KpaDecision {
  const { averages } = observation;
  if (averages === undefined) return { desired: undefined, state };

  const ready = Math.max(1, observation.readyReplicas);
  const wantedByPanicWindow = Math.ceil(averages.panic / settings.target);
  const stable = limitStep(Math.ceil(averages.stable / settings.target), settings, ready);
  const panic = limitStep(wantedByPanicWindow, settings, ready);

  const over = wantedByPanicWindow / ready >= settings.panicThreshold;
  const panicSince = nextPanicSince(settings, state, over, now);
  const panicking = panicSince !== undefined;
  const peak = panicking ? Math.max(state.panicPeak, stable, panic) : 0;
  const wanted = panicking ? peak : stable;

  if (!settings.reachable || settings.scaleDownDelaySeconds === 0) {
    return { desired: wanted, state: { panicSince, panicPeak: peak, delay: [] } };
  }
  const delay = delayed(state.delay, wanted, settings.scaleDownDelaySeconds, now);
  return { desired: delay[0]?.desired ?? wanted, state: { panicSince, panicPeak: peak, delay } };
}

/**
 * What one step may make of a wanted count. With the rates 1000 and 2 and 5 ready replicas: from 2 to 5000. The upper end is rounded up and the lower
 * one down, so that a step is always possible (2 × 1.1 is 3, not 2).
 */
function limitStep(wanted: number, settings: KpaSettings, ready: number): number {
  const most = Math.ceil(settings.maxScaleUpRate * ready);
  const least = settings.reachable ? Math.floor(ready / settings.maxScaleDownRate) : 0;
  const limited = Math.min(Math.max(wanted, least), most);
  return wanted > 0 ? Math.max(limited, settings.activationReplicas) : limited;
}

/**
 * Panic lasts until the threshold has not been crossed for a whole stable window.
 *
 * | crossed now | in panic | last crossed          | then             |
 * |-------------|----------|-----------------------|------------------|
 * | yes         | any      | any                   | panic, from now  |
 * | no          | yes      | within stable window  | panic, unchanged |
 * | no          | yes      | longer ago            | no panic         |
 * | no          | no       |                       | no panic         |
 */
function nextPanicSince(settings: KpaSettings, state: KpaState, over: boolean, now: number): number | undefined {
  if (over) return now;
  const { panicSince } = state;
  if (panicSince === undefined || panicSince + settings.stableWindowSeconds < now) return undefined;
  return panicSince;
}
