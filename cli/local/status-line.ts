/** Tells a function's state in a line, for the terminal of `pilotlight local`. Pure. */
import type { ModelFunction } from '../../common/api/kinds.ts';

/** `digits  Ready  2 of 3 replicas` or `digits  Not ready: ModelNotFound, There is no file …`. */
export function statusLine({ metadata, status }: ModelFunction): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  const replicas = replicasOf(status);
  switch (ready?.status) {
    case 'True':
      return `${metadata.name}  Ready${replicas}`;
    case 'False':
      return `${metadata.name}  Not ready  ${ready.reason}: ${ready.message}`;
    default:
      return `${metadata.name}  Starting${replicas}`;
  }
}

function replicasOf(status: ModelFunction['status']): string {
  const { replicas, desiredReplicas } = status ?? {};
  if (replicas === undefined || desiredReplicas === undefined) return '';
  return replicas === 0 && desiredReplicas === 0 ? '  at zero' : `  ${replicas} of ${desiredReplicas} replicas`;
}
