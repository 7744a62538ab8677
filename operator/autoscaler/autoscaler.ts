import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import {
  decide as decideReally,
  firstState,
  TICK_SECONDS,
  type Decide,
  type Observation,
  type ScalerState,
} from './decide.ts';
import type { DemandSource } from './demand-source.ts';
import { panicWindowSeconds } from './kpa/kpa-settings.ts';
import type { RevisionKey, ScalableRevision, ScalingDecision, ScalingSettings } from './scalable.ts';
import { arrivalRate } from './windows/arrival-rate.ts';
import { BucketRing } from './windows/bucket-ring.ts';
import { linearAverage, weightedAverage } from './windows/window-average.ts';

/**
 * Runs the decisions: every 2 s for each revision that has demand or replicas, and at once when demand appears at zero. Revisions at rest cost
 * nothing. It decides and tells; making pods and writing status is for the listener.
 */
export interface Autoscaler {
  /** Decides now, before it returns. For a revision that is new or changed: its spec, its traffic, its pods. */
  poke(key: RevisionKey): void;
  /** The revision is deleted. */
  forget(key: RevisionKey): void;
  /** The latest decision, with the window averages of its moment; undefined before the first. */
  decision(key: RevisionKey): ScalingDecision | undefined;
  close(): void;
}

/** What it stands on; all callbacks are called synchronously. */
export interface AutoscalerOptions {
  readonly clock: Clock;
  readonly ledger: DemandSource;
  /**
   * The revision as it is now; undefined for one that does not exist. A replica that does not lead gives it too, and only lets decisions be, so that
   * its windows are full when it comes to lead.
   */
  readonly scalable: (key: RevisionKey) => ScalableRevision | undefined;
  /** After the first decision, and after each that differs in more than its averages. */
  readonly onDecision: (key: RevisionKey, decision: ScalingDecision) => void;
  readonly logger: Logger;
  /** Another way to decide, for simulations that compare. */
  readonly decide?: Decide;
}

const NOTHING_MEASURED = { seconds: 0, requestSeconds: 0, arrived: 0 };

const AVERAGES = { Linear: linearAverage, WeightedExponential: weightedAverage } as const;

interface Windows {
  /** What they hold. */
  readonly metric: ScalingSettings['metric'];
  readonly stable: BucketRing;
  readonly panic: BucketRing;
  /** Requests that arrived, whatever the metric is. */
  readonly arrivals: BucketRing;
  /** Second in which they were begun: earlier ones say nothing. */
  readonly since: number;
  /** When there last was a request. */
  lastActive: number;
  /** What came since the last decision, and up to which second that was. */
  readonly measured: { requestSeconds: number; arrived: number };
  measuredUntil: number;
}

interface Decided {
  readonly decision: ScalingDecision;
  readonly state: ScalerState;
}

/** Begins to listen to the ledger and to tick; ends with `close`. */
export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { clock, ledger, scalable, onDecision, logger, decide = decideReally } = options;
  /** Only of revisions that are not at rest: these are visited on each tick. */
  const active = new Map<RevisionKey, Windows>();
  const decided = new Map<RevisionKey, Decided>();
  let settled: number | undefined;
  let cancelTick: Cancel = () => undefined;

  const seconds = (): number => clock.monotonic() / 1000;

  /** Begins them if there are none, or they hold another metric, and follows a change of their lengths. */
  function windowsOf(key: RevisionKey, { scaling }: ScalableRevision): Windows {
    const { metric, stableWindowSeconds: stableSeconds } = scaling;
    const panicSeconds = panicWindowSeconds(scaling);
    let windows = active.get(key);
    if (windows?.metric !== metric) {
      const now = seconds();
      windows = {
        metric,
        stable: new BucketRing(stableSeconds),
        panic: new BucketRing(panicSeconds),
        arrivals: new BucketRing(stableSeconds),
        since: Math.floor(now),
        lastActive: windows?.lastActive ?? now,
        measured: { requestSeconds: 0, arrived: 0 },
        measuredUntil: Math.floor(now) - 1,
      };
      active.set(key, windows);
    }
    windows.stable.resize(stableSeconds);
    windows.panic.resize(panicSeconds);
    windows.arrivals.resize(stableSeconds);
    return windows;
  }

  function observe(key: RevisionKey, windows: Windows, { scaling }: ScalableRevision): Observation {
    const now = seconds();
    const demand = ledger.demandOf(key);
    if (demand.inFlight + demand.queued > 0) windows.lastActive = now;
    const silentSeconds = now - windows.lastActive;
    if (settled === undefined || settled < windows.since) {
      return { averages: undefined, demand, measured: NOTHING_MEASURED, arrivalRate: 0, silentSeconds };
    }
    // A settled second without a sample had no demand.
    windows.stable.record(settled, 0);
    windows.panic.record(settled, 0);
    windows.arrivals.record(settled, 0);
    const measured = { ...windows.measured, seconds: Math.max(0, settled - windows.measuredUntil) };
    windows.measured.requestSeconds = windows.measured.arrived = 0;
    windows.measuredUntil = settled;
    const average = AVERAGES[scaling.metricAggregationAlgorithm];
    const averages = { stable: average(windows.stable, settled), panic: average(windows.panic, settled) };
    return { averages, demand, measured, arrivalRate: arrivalRate(windows.arrivals, settled), silentSeconds };
  }

  function decideNow(key: RevisionKey): void {
    const revision = scalable(key);
    if (revision === undefined) {
      active.delete(key);
      return;
    }
    const observation = observe(key, windowsOf(key, revision), revision);
    const now = { monotonic: seconds(), epoch: clock.now() };
    const before = decided.get(key);
    const next = decide(revision, observation, before?.state ?? firstState(revision, now.monotonic), now);
    decided.set(key, next);
    const { desired, mode } = next.decision;
    // A panic is ended by a tick; until then its status would say it for ever.
    if (isAtRest(observation) && desired === 0 && mode === 'Stable') active.delete(key);
    if (before === undefined || differ(before.decision, next.decision)) onDecision(key, next.decision);
  }

  function tick(): void {
    cancelTick = clock.after(TICK_SECONDS * 1000, tick);
    settled = ledger.settle(seconds());
    for (const key of [...active.keys()]) tryToDecide(key);
  }

  /** One revision whose decision fails must neither stop the others nor the gateway's stream that woke it. */
  function tryToDecide(key: RevisionKey): void {
    try {
      decideNow(key);
    } catch (error) {
      logger.error({ revision: key, err: error }, 'Could not decide on a revision');
    }
  }

  ledger.listen({
    appeared: (key) => {
      if ((decided.get(key)?.decision.desired ?? 0) === 0) tryToDecide(key);
    },
    sample: (key, second, concurrency, requests) => {
      let windows = active.get(key);
      if (windows === undefined) {
        // What a gateway names and nobody knows must cost nothing.
        const revision = scalable(key);
        if (revision === undefined) return;
        windows = windowsOf(key, revision);
      }
      const value = windows.metric === 'Concurrency' ? concurrency : requests;
      windows.stable.record(second, value);
      windows.panic.record(second, value);
      windows.arrivals.record(second, requests);
      windows.measured.requestSeconds += concurrency;
      windows.measured.arrived += requests;
      if (concurrency > 0) windows.lastActive = Math.max(windows.lastActive, second + 1);
    },
  });
  cancelTick = clock.after(TICK_SECONDS * 1000, tick);

  return {
    poke: decideNow,
    forget: (key) => {
      active.delete(key);
      decided.delete(key);
    },
    decision: (key) => decided.get(key)?.decision,
    close: () => cancelTick(),
  };
}

/** Without replicas it does not matter that a gateway may have requests: what it says of them later begins the windows anew. */
function isAtRest({ averages, demand }: Observation): boolean {
  return demand.inFlight + demand.queued === 0 && (averages?.stable ?? 0) <= 0;
}

function differ(before: ScalingDecision, after: ScalingDecision): boolean {
  return (
    before.desired !== after.desired ||
    before.mode !== after.mode ||
    before.wokenAt !== after.wokenAt ||
    before.reasons.join() !== after.reasons.join()
  );
}
