import type { ScalableRevision, ScalingSettings } from '../scalable.ts';
import type { KpaSettings } from './decide-kpa.ts';

/** Knative's defaults for what users rarely touch there. */
const MAX_SCALE_UP_RATE = 1000;
const MAX_SCALE_DOWN_RATE = 2;

/**
 * The core's settings from the user's. Target utilisation is 100 %, where Knative takes 70 % of the target: with a target of 1, the usual one for
 * a GPU, one steady request would ask for 1 / 0.7, two replicas. Room for bursts is what the gateway's queue is for.
 */
export function kpaSettings({ scaling, reachable }: ScalableRevision): KpaSettings {
  return {
    target: scaling.target,
    panicThreshold: scaling.panicThresholdPercentage / 100,
    maxScaleUpRate: MAX_SCALE_UP_RATE,
    maxScaleDownRate: MAX_SCALE_DOWN_RATE,
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
