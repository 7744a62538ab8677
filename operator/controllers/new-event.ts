import type { Reason } from '../../common/api/reasons.ts';
import type { EventRecorder } from '../cluster/events.ts';
import type { KubernetesObject } from '../cluster/port.ts';

/** Something that happened to an object, decided but not told yet. */
export interface NewEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: Reason;
  readonly message: string;
}

export function recordEvents(
  recorder: Pick<EventRecorder, 'record'>,
  about: KubernetesObject,
  events: readonly NewEvent[],
): void {
  for (const { type, reason, message } of events) recorder.record(about, type, reason, message);
}
