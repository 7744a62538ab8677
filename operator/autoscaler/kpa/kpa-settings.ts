import type { ScalableRevision, ScalingSettings } from '../scalable.ts';
import type { KpaSettings } from './decide-kpa.ts';

/**
 * The core's settings from the user's. Target utilisation is 100 %, where Knative takes 70 % of the target: with a target of 1, the usual one for
 * a GPU, one steady request would ask for 1 / 0.7, two replicas. Room for bursts is what the gateway's queue is for.
 */
export function kpaSettings({ scaling, reachable }: ScalableRevision): KpaSettings {
  return {
    target: scaling.target,
    panicThreshold: scaling.panicThresholdPercentage / 100,
    maxScaleUpRate: scaling.maxScaleUpRatePercentage / 100,
    maxScaleDownRate: scaling.maxScaleDownRatePercentage / 100,
    stableWindowSeconds: scaling.stableWindowSeconds,
    scaleDownDelaySeconds: scaling.scaleDownDelaySeconds,
    activationReplicas: scaling.activationReplicas,
    reachable,
  };
}

/** Length of the panic window: 10 % of 60 s are 6 s, and never less than 1 s. */
export function panicWindowSeconds({ stableWindowSeconds, panicWindowPercentage }: ScalingSettings): number {
  return Math.max(1, Math.round((stableWindowSeconds * panicWindowPercentage) / 100));
}
