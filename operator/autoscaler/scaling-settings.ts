import type { ModelFunctionSpec } from '../../common/api/kinds.ts';
import type { ScalingSettings } from './scalable.ts';

/**
 * What a pod carries where the user does not say. Inference fills a pod with few requests, where Knative's 100 at once are meant for programs that
 * wait; its 200 requests a second are kept.
 */
const DEFAULT_TARGET = { Concurrency: 8, RequestsPerSecond: 200 } as const;

/** The autoscaler's settings from a function's spec. No pod can hold more than its limit lets in; of requests in a second the limit says nothing. */
export function scalingSettings({ scaling, concurrencyLimit }: ModelFunctionSpec): ScalingSettings {
  const target = scaling.target ?? DEFAULT_TARGET[scaling.metric];
  const limited = scaling.metric === 'Concurrency' && concurrencyLimit > 0;
  return { ...scaling, target: limited ? Math.min(target, concurrencyLimit) : target };
}
