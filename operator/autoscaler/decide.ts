import type { Adjustment, AdjustmentInput, DemandNow } from './adjustments/adjustment.ts';
import { demandNow } from './adjustments/demand-now.ts';
import { initialReplicas, isInitialAttemptOver } from './adjustments/initial-replicas.ts';
import { maxReplicas, minReplicas } from './adjustments/replica-bounds.ts';
import { retired } from './adjustments/retired.ts';
import { silence } from './adjustments/silence.ts';
import { startingSurplus } from './adjustments/starting-surplus.ts';
import { unknownGateway } from './adjustments/unknown-gateway.ts';
import { withoutNoise } from './adjustments/without-noise.ts';
import { wokenFloor } from './adjustments/woken-floor.ts';
import { decideKpa, type KpaState } from './kpa/decide-kpa.ts';
import { kpaSettings } from './kpa/kpa-settings.ts';
import type { ScalableRevision, ScalingDecision, WindowAverages } from './scalable.ts';

/** How many replicas a revision should have: Knative's decision, then each deliberate difference in turn. Pure; the loop around it has the clock. */

/** In order. Floors come after what takes away, and the user's upper bound comes last. */
const ADJUSTMENTS: readonly Adjustment[] = [
  startingSurplus,
  demandNow,
  silence,
  wokenFloor,
  initialReplicas,
  minReplicas,
  retired,
  unknownGateway,
  maxReplicas,
];

/** What is seen of a revision's demand at one moment. */
export interface Observation {
  /** Window averages; undefined while the windows are empty. */
  readonly averages: WindowAverages | undefined;
  readonly demand: DemandNow;
  /** Since when neither the windows nor the gateways have seen a request, in seconds. */
  readonly silentSeconds: number;
}

/** What one decision leaves for the next. */
export interface ScalerState {
  readonly kpa: KpaState;
  readonly desired: number;
  readonly wokenAt: number | undefined;
  readonly initialAttemptOver: boolean;
}

/** The same moment on two clocks: windows and panic are counted on the one that never jumps, the status is written with the other. */
export interface Moment {
  /** Seconds. */
  readonly monotonic: number;
  /** Milliseconds since the epoch. */
  readonly epoch: number;
}

/**
 * The state of a revision that this process has not decided on before. With more than one ready replica it begins in panic: after a restart the
 * windows are short, and must not scale down what an earlier process had reason for.
 */
export function firstState(revision: ScalableRevision, monotonic: number): ScalerState {
  const { readyReplicas, startingReplicas, wokenAt } = revision;
  const panicSince = readyReplicas > 1 ? monotonic : undefined;
  return {
    kpa: { panicSince, panicPeak: panicSince === undefined ? 0 : readyReplicas, delay: [] },
    desired: readyReplicas + startingReplicas,
    wokenAt,
    initialAttemptOver: false,
  };
}

export type Decide = typeof decide;

/** The decision of this moment, and the state for the next. */
export function decide(
  revision: ScalableRevision,
  observation: Observation,
  state: ScalerState,
  now: Moment,
): { readonly decision: ScalingDecision; readonly state: ScalerState } {
  const { averages } = observation;
  // Starting replicas count, or each tick of a slow start would find one replica facing the whole queue, and panic.
  const readyReplicas = revision.readyReplicas + revision.startingReplicas;
  const measured = averages && { stable: withoutNoise(averages.stable), panic: withoutNoise(averages.panic) };
  const core = decideKpa(kpaSettings(revision), { readyReplicas, averages: measured }, state.kpa, now.monotonic);

  const known = {
    revision,
    current: state.desired,
    wokenAt: state.wokenAt,
    demand: observation.demand,
    panicAverage: measured?.panic,
    silentSeconds: observation.silentSeconds,
    now: now.epoch,
  };
  const initialAttemptOver = state.initialAttemptOver || isInitialAttemptOver(known);
  const { desired, reasons } = adjusted(core.desired ?? state.desired, { ...known, initialAttemptOver });
  const wokenAt = desired === 0 ? undefined : (state.wokenAt ?? now.epoch);

  return {
    decision: {
      desired,
      mode: core.state.panicSince === undefined ? 'Stable' : 'Panic',
      averages,
      reasons: core.desired === undefined ? ['NoData', ...reasons] : reasons,
      wokenAt,
    },
    state: { kpa: core.state, desired, wokenAt, initialAttemptOver },
  };
}

function adjusted(wanted: number, input: AdjustmentInput): { desired: number; reasons: readonly string[] } {
  const reasons: string[] = [];
  let desired = wanted;
  for (const { reason, adjust } of ADJUSTMENTS) {
    const next = adjust(desired, input);
    if (next !== desired) reasons.push(reason);
    desired = next;
  }
  return { desired, reasons };
}
