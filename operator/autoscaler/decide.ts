import type { Adjustment, AdjustmentInput, DemandNow } from './adjustments/adjustment.ts';
import { clearsInTime, longestHold, replicasToClear } from './adjustments/clears-in-time.ts';
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
import { learnWork, NO_WORK, podSecondsPerRequest, type Measured, type PodWork } from './pod-work.ts';
import type { ScalableRevision, ScalingDecision, WindowAverages } from './scalable.ts';

/** How many replicas a revision should have: Knative's decision, then each deliberate difference in turn. Pure; the loop around it has the clock. */

/** Decisions are so far apart, but for those that something asks for in between. */
export const TICK_SECONDS = 2;

/** In order. Floors come after what takes away, and the user's upper bound comes last. */
const ADJUSTMENTS: readonly Adjustment[] = [
  startingSurplus,
  clearsInTime,
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
  /** Since the last decision. */
  readonly measured: Measured;
  /** Requests a second that are to be expected. */
  readonly arrivalRate: number;
  /** Since when neither the windows nor the gateways have seen a request, in seconds. */
  readonly silentSeconds: number;
}

/** What one decision leaves for the next. */
export interface ScalerState {
  readonly kpa: KpaState;
  readonly desired: number;
  readonly wokenAt: number | undefined;
  readonly initialAttemptOver: boolean;
  readonly work: PodWork;
  /** The replicas from which steps are counted, and since when. */
  readonly step: { readonly since: number; readonly replicas: number } | undefined;
  /** Since when fewer pods than Knative's number are held to be enough for what waits, on the monotonic clock; undefined while they are not fewer. */
  readonly holdingSince: number | undefined;
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
    work: NO_WORK,
    step: undefined,
    holdingSince: undefined,
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
  const step = nextStep(state.step, readyReplicas, now.monotonic);
  const seen = { readyReplicas: step.replicas, averages: measured };
  const core = decideKpa(kpaSettings(revision), seen, state.kpa, now.monotonic);

  const work = learnWork(
    state.work,
    observation.measured,
    observation.demand.inFlight + observation.demand.queued,
    revision.readyReplicas,
  );
  const enough = replicasEnough(revision, observation, work);
  const isHolding = enough !== undefined && (core.desired ?? 0) > Math.max(readyReplicas, enough);
  const holdingSince = isHolding ? (state.holdingSince ?? now.monotonic) : undefined;

  const known = {
    revision,
    current: state.desired,
    wokenAt: startableSince(revision, state.wokenAt),
    demand: observation.demand,
    panicAverage: measured?.panic,
    backlogReplicas: isTooLong(revision, holdingSince, now.monotonic) ? undefined : enough,
    silentSeconds: observation.silentSeconds,
    now: now.epoch,
  };
  const initialAttemptOver = state.initialAttemptOver || isInitialAttemptOver(known);
  const { desired, reasons } = adjusted(core.desired ?? state.desired, { ...known, initialAttemptOver });
  const wokenAt = desired === 0 ? undefined : wokenSince(revision, state.wokenAt, now.epoch);

  return {
    decision: {
      desired,
      mode: core.state.panicSince === undefined ? 'Stable' : 'Panic',
      averages,
      reasons: core.desired === undefined ? ['NoData', ...reasons] : reasons,
      wokenAt,
    },
    state: { kpa: core.state, desired, wokenAt, initialAttemptOver, work, step, holdingSince },
  };
}

/**
 * One step is made from the replicas there were when it began, and lasts for a tick. Each pod that goes or comes asks for a decision of its own, and steps from
 * what it leaves would be no steps: 10, 5, 2, 1 in one moment.
 */
function nextStep(step: ScalerState['step'], replicas: number, now: number): NonNullable<ScalerState['step']> {
  return step !== undefined && now - step.since < TICK_SECONDS ? step : { since: now, replicas };
}

/** From when on a start may take its time. The status may know of room that another replica of the operator granted. */
function startableSince({ wokenAt, roomSince }: ScalableRevision, before: number | undefined): number | undefined {
  return before === undefined ? undefined : Math.max(before, wokenAt ?? 0, roomSince ?? 0);
}

function wokenSince(revision: ScalableRevision, before: number | undefined, now: number): number {
  const since = startableSince(revision, before) ?? now;
  return since === Infinity ? (before ?? now) : since;
}

/** Pods that clear what is there within a start; undefined before a start was seen. */
function replicasEnough(revision: ScalableRevision, observation: Observation, work: PodWork): number | undefined {
  const { scaling, startSeconds, patienceSeconds } = revision;
  const { averages, demand, arrivalRate } = observation;
  if (startSeconds === undefined) return undefined;
  const present = demand.inFlight + demand.queued;
  return replicasToClear({
    scaling,
    startSeconds,
    patienceSeconds,
    // Two measures, so that one quiet instant says nothing.
    requests: scaling.metric === 'Concurrency' ? Math.max(present, averages?.panic ?? 0) : present,
    arrivalRate,
    podSecondsPerRequest: podSecondsPerRequest(work, scaling.target),
  });
}

function isTooLong({ scaling, startSeconds = 0 }: ScalableRevision, since: number | undefined, now: number): boolean {
  return since !== undefined && now - since > longestHold(scaling, startSeconds);
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
