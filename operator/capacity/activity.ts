import type { DemandNow } from '../autoscaler/adjustments/adjustment.ts';
import type { ScalingDecision } from '../autoscaler/scalable.ts';

/** Requests for a revision at this moment. */
export interface Activity {
  /** That may be in its pods or wait for them; Infinity where nobody knows. */
  readonly requests: number;
  /** Somebody calls, or has within the window. */
  readonly isCalled: boolean;
  /** Nobody has called for a whole window. Neither is true where nobody knows. */
  readonly isSilent: boolean;
}

/** @param decision the latest, if there was one */
export function activityOf(
  { inFlight, queued, unknown }: DemandNow,
  decision: Pick<ScalingDecision, 'averages'> | undefined,
): Activity {
  const average = decision?.averages?.stable;
  const isCalled = inFlight + queued > 0 || (average ?? 0) > 0;
  return {
    requests: unknown ? Infinity : inFlight + queued,
    isCalled,
    isSilent: !unknown && !isCalled && average !== undefined,
  };
}
