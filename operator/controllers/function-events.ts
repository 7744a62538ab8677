/** The events of a function: one for each change of what its status says. Pure. */
import { findCondition } from '../../common/api/conditions.ts';
import type { ModelFunctionStatus } from '../../common/api/kinds.ts';
import { isReason } from '../../common/api/reasons.ts';
import type { NewEvent } from './new-event.ts';

export function functionEvents(before: ModelFunctionStatus | undefined, after: ModelFunctionStatus): NewEvent[] {
  const events: NewEvent[] = [];
  const { latestReadyRevision } = after;
  if (latestReadyRevision !== undefined && latestReadyRevision !== before?.latestReadyRevision) {
    const message = `Revision ${latestReadyRevision} is the latest that is ready`;
    events.push({ type: 'Normal', reason: 'RevisionReady', message });
  }
  const ready = findCondition(after.conditions, 'Ready');
  const was = findCondition(before?.conditions, 'Ready');
  const turned = ready?.status === 'False' && (was?.status !== 'False' || was.reason !== ready.reason);
  if (turned && isReason(ready.reason)) events.push({ type: 'Warning', reason: ready.reason, message: ready.message });
  return events;
}
