/** The contract between the autoscaler, which decides how many, and the revision controller, which makes it so. */

/** `spec.scaling` of a ModelFunction after defaulting; names as Knative has them. */
export interface ScalingSettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly metric: 'Concurrency' | 'RequestsPerSecond';
  /** What one replica should carry of the metric. */
  readonly target: number;
  readonly stableWindowSeconds: number;
  readonly panicWindowPercentage: number;
  readonly panicThresholdPercentage: number;
  readonly metricAggregationAlgorithm: 'Linear' | 'WeightedExponential';
  readonly maxScaleUpRatePercentage: number;
  readonly maxScaleDownRatePercentage: number;
  readonly scaleDownDelaySeconds: number;
  readonly scaleToZeroRetentionSeconds: number;
  readonly initialReplicas: number;
  readonly activationReplicas: number;
  readonly startTimeoutSeconds: number;
}

/** What the revision controller knows of a revision, handed to the autoscaler at each decision. Times are milliseconds since the epoch. */
export interface ScalableRevision {
  readonly namespace: string;
  readonly revision: string;
  readonly scaling: ScalingSettings;
  /** Gets traffic, has a tag, or is the latest and has yet to prove itself: only these keep a floor of replicas. */
  readonly reachable: boolean;
  readonly readyReplicas: number;
  /** Exist, neither ready nor terminating. */
  readonly startingReplicas: number;
  /** It was ready with its initial replicas once; before that it runs them to prove itself, demand or not. */
  readonly proven: boolean;
  /** When desired last left zero; undefined while at zero. From the revision's status, so that neither a new leader nor a replacement pod resets it. */
  readonly wokenAt: number | undefined;
  /** When it was last granted what it waited for, Infinity while it waits: a start that has no room has not begun. Absent where it never waited. */
  readonly roomSince?: number | undefined;
  /** Since when at least one replica has been ready without a gap. */
  readonly readySince: number | undefined;
  /** Seconds that a pod takes to start, once that was learned. */
  readonly startSeconds: number | undefined;
  /** Seconds that a caller waits for an answer, at most. */
  readonly patienceSeconds: number;
}

/** Of the stable and the panic window, in units of the metric. */
export interface WindowAverages {
  readonly stable: number;
  readonly panic: number;
}

export interface ScalingDecision {
  readonly desired: number;
  readonly mode: 'Stable' | 'Panic';
  /** Averages of the metric in the two windows; undefined without data. */
  readonly averages: WindowAverages | undefined;
  /** Names of the adjustments that changed the number, in order; first `NoData` if the windows were empty. */
  readonly reasons: readonly string[];
  /** To be kept in the revision's status. */
  readonly wokenAt: number | undefined;
}

/** `namespace/revision` */
export type RevisionKey = string;
