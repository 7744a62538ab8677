/** The caches of what the operator watches, and a cluster that writes through them. */
import { LABELS, COMPONENTS } from '../../common/api/names.ts';
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { watchCache, type WatchCache } from '../cluster/cache.ts';
import type { Cluster, KubernetesObject, Resource, Scope } from '../cluster/port.ts';
import { MODEL_FUNCTIONS, MODEL_REVISIONS, PODS, type Pod } from '../cluster/resources.ts';
import { writeThrough } from '../cluster/write-through.ts';
import type { Observed } from './observed.ts';

export interface ObservedCluster {
  readonly cluster: Cluster;
  readonly functions: WatchCache<ModelFunction>;
  readonly revisions: WatchCache<ModelRevision>;
  /** Runtime pods of all namespaces. */
  readonly pods: WatchCache<Pod>;
  readonly observed: Observed;
}

export function observeCluster(options: {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): ObservedCluster {
  const cache = <T extends KubernetesObject>(resource: Resource<T>, scope: Scope, indexLabel?: string): WatchCache<T> =>
    watchCache({ ...options, resource, scope, ...(indexLabel === undefined ? {} : { indexLabel }) });
  const functions = cache(MODEL_FUNCTIONS, {});
  const revisions = cache(MODEL_REVISIONS, {}, LABELS.function);
  const pods = cache(PODS, { labels: { [LABELS.component]: COMPONENTS.runtime } }, LABELS.revision);

  const observed: Observed = {
    function: (namespace, name) => functions.get({ namespace, name }),
    revision: (namespace, name) => revisions.get({ namespace, name }),
    revisionsOf: (namespace, name) => revisions.withLabel(namespace, name),
    podsOf: (namespace, revision) => pods.withLabel(namespace, revision),
  };
  const cluster = writeThrough(options.cluster, (resource, object) => {
    // A resource is told by its kind alone, and its type is that of its objects.
    if (resource.kind === MODEL_FUNCTIONS.kind) functions.observe(object as unknown as ModelFunction);
    else if (resource.kind === MODEL_REVISIONS.kind) revisions.observe(object as unknown as ModelRevision);
    else if (resource.kind === PODS.kind) pods.observe(object as unknown as Pod);
  });
  return { cluster, functions, revisions, pods, observed };
}
