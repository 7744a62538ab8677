/** Tells a function's state in a line, for the terminal of `pilotlight local`. Pure. */
import type { Condition, ModelFunction } from '../../common/api/kinds.ts';
import type { Reason } from '../../common/api/reasons.ts';

/** Reasons that say no more than the word Starting does. */
const UNREMARKABLE: ReadonlySet<string> = new Set<Reason>(['Starting', 'Reconciling', 'NoRevisionReady']);

/** `digits  Ready  2 of 3 replicas` or `digits  Not ready  ModelNotFound: The model at … does not exist`. */
export function statusLine({ metadata, status }: ModelFunction): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const replicas = replicasOf(status);
  switch (ready?.status) {
    case 'True':
      return `${metadata.name}  Ready${replicas}`;
    case 'False':
      return `${metadata.name}  Not ready  ${ready.reason}: ${ready.message}`;
    default:
      return `${metadata.name}  Starting${replicas}${obstacleOf(ready)}`;
  }
}

/** What keeps it from starting, although it may yet. */
function obstacleOf(ready: Condition | undefined): string {
  return ready === undefined || UNREMARKABLE.has(ready.reason) ? '' : `  ${ready.reason}: ${ready.message}`;
}

function replicasOf(status: ModelFunction['status']): string {
  const { replicas, desiredReplicas } = status ?? {};
  if (replicas === undefined || desiredReplicas === undefined) return '';
  return replicas === 0 && desiredReplicas === 0 ? '  at zero' : `  ${replicas} of ${desiredReplicas} replicas`;
}
