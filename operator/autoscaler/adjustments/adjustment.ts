import type { ScalableRevision } from '../scalable.ts';

/** What the adjustments around Knative's decision look at besides the number itself. */
export interface AdjustmentInput {
  readonly revision: ScalableRevision;
  /** What was desired until now; on the first decision, what exists. */
  readonly current: number;
  /** When desired last left zero, in milliseconds since the epoch; undefined at zero. It knows of decisions that the status does not show yet. */
  readonly wokenAt: number | undefined;
  /** The revision failed to prove itself within its start timeout. */
  readonly initialAttemptOver: boolean;
  readonly demand: DemandNow;
  /** Average of the panic window; undefined without data. */
  readonly panicAverage: number | undefined;
  /** Pods that clear what waits within one start time; undefined while that is not known, or was not true for too long. */
  readonly backlogReplicas: number | undefined;
  /** Since when neither the windows nor the gateways have seen a request, in seconds. */
  readonly silentSeconds: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Requests in all gateways at this moment. */
export interface DemandNow {
  readonly inFlight: number;
  readonly queued: number;
  /** A gateway that had demand for the revision has fallen silent, or none was heard yet: nobody knows what it has now. */
  readonly unknown: boolean;
}

/** One deliberate difference from Knative: a pure function from the number so far to the next, and the name it goes by when it changes it. */
export interface Adjustment {
  readonly reason: string;
  adjust(desired: number, input: AdjustmentInput): number;
}
