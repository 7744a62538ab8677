/** The events of a revision: one for each change of what its status says, none while it says the same. Pure. */
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelRevisionStatus } from '../../common/api/kinds.ts';
import { isReason } from '../../common/api/reasons.ts';
import type { NewEvent } from './new-event.ts';

export function revisionEvents(before: ModelRevisionStatus | undefined, after: ModelRevisionStatus): NewEvent[] {
  const events: NewEvent[] = [];
  const { desiredReplicas: had = 0 } = before ?? {};
  const { desiredReplicas: has = 0 } = after;
  if (had === 0 && has > 0) {
    events.push({ type: 'Normal', reason: 'ScaledFromZero', message: `Scaled from zero to ${has}` });
  }
  if (had > 0 && has === 0) events.push({ type: 'Normal', reason: 'ScaledToZero', message: 'Scaled to zero' });
  const ready = findCondition(after.conditions, 'Ready');
  if (ready?.status === 'True' && findCondition(before?.conditions, 'Ready')?.status !== 'True') {
    events.push({ type: 'Normal', reason: 'RevisionReady', message: 'Became ready' });
  }
  const trouble = findCondition(after.conditions, 'PodsHealthy');
  const was = findCondition(before?.conditions, 'PodsHealthy');
  if (trouble?.status === 'False' && trouble.reason !== was?.reason && isReason(trouble.reason)) {
    events.push({ type: 'Warning', reason: trouble.reason, message: trouble.message });
  }
  return events;
}
