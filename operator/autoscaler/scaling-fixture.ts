/** Test-only: a revision with the API's default scaling, to be varied. */
import type { ScalableRevision, ScalingSettings } from './scalable.ts';

const DEFAULT_SCALING: ScalingSettings = {
  minReplicas: 0,
  maxReplicas: 10,
  metric: 'Concurrency',
  target: 8,
  stableWindowSeconds: 60,
  panicWindowPercentage: 10,
  panicThresholdPercentage: 200,
  metricAggregationAlgorithm: 'Linear',
  maxScaleUpRatePercentage: 100_000,
  maxScaleDownRatePercentage: 200,
  scaleDownDelaySeconds: 0,
  scaleToZeroRetentionSeconds: 0,
  initialReplicas: 1,
  activationReplicas: 1,
  startTimeoutSeconds: 600,
};

export type RevisionChange = Partial<Omit<ScalableRevision, 'scaling'>> & {
  readonly scaling?: Partial<ScalingSettings>;
};

/** Proven, routed, at zero. */
export function revisionWith({ scaling, ...change }: RevisionChange = {}): ScalableRevision {
  return {
    namespace: 'models',
    revision: 'digits-00001',
    reachable: true,
    readyReplicas: 0,
    startingReplicas: 0,
    proven: true,
    wokenAt: undefined,
    readySince: undefined,
    startSeconds: undefined,
    patienceSeconds: 60,
    ...change,
    scaling: { ...DEFAULT_SCALING, ...scaling },
  };
}
