/** The caches of what the operator watches, and a cluster that writes through them. */
import { LABELS, MANAGER, RUNTIME_POD_LABELS } from '../../common/api/names.ts';
import type { ModelFunction, ModelRevision } from '../../common/api/kinds.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { watchCache, type WatchCache } from '../cluster/cache.ts';
import type { Cluster, KubernetesObject, Resource, Scope } from '../cluster/port.ts';
import {
  MODEL_FUNCTIONS,
  MODEL_REVISIONS,
  NETWORK_POLICIES,
  PODS,
  SERVICES,
  type NetworkPolicy,
  type Pod,
  type Service,
} from '../cluster/resources.ts';
import { writeThrough } from '../cluster/write-through.ts';
import { functionOfService } from '../services/build-services.ts';
import type { Observed } from './observed.ts';

/** What functions are indexed by, beside their namespace: it gives all of a namespace. */
export const EVERY = '';

/** Of the kinds that a cluster has thousands of, and functions few. Another's that has a needed name is asked for by that name. */
const OURS: Scope = { labels: { [LABELS.managedBy]: MANAGER } };

export interface ObservedCluster {
  readonly cluster: Cluster;
  readonly functions: WatchCache<ModelFunction>;
  readonly revisions: WatchCache<ModelRevision>;
  /** Runtime pods of all namespaces. */
  readonly pods: WatchCache<Pod>;
  /** Those with the operator's label, as `networkPolicies`. */
  readonly services: WatchCache<Service>;
  readonly networkPolicies: WatchCache<NetworkPolicy>;
  readonly observed: Observed;
}

export function observeCluster(options: {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): ObservedCluster {
  const cache = <T extends KubernetesObject>(
    resource: Resource<T>,
    scope: Scope = {},
    indexBy?: (object: T) => string | undefined,
  ): WatchCache<T> => watchCache({ ...options, resource, scope, ...(indexBy === undefined ? {} : { indexBy }) });
  const functions = cache(MODEL_FUNCTIONS, {}, () => EVERY);
  // Not by the label, which people can take off.
  const revisions = cache(MODEL_REVISIONS, {}, ({ spec }) => spec.functionName);
  const pods = cache(PODS, { labels: RUNTIME_POD_LABELS }, ({ metadata }) => metadata.labels?.[LABELS.revision]);
  const services = cache(SERVICES, OURS, ({ metadata }) => functionOfService(metadata.name));
  const networkPolicies = cache(NETWORK_POLICIES, OURS);

  const observed: Observed = {
    function: (namespace, name) => functions.get({ namespace, name }),
    revision: (namespace, name) => revisions.get({ namespace, name }),
    revisionsOf: (namespace, name) => revisions.indexed(namespace, name),
    podsOf: (namespace, revision) => pods.indexed(namespace, revision),
    servicesOf: (namespace, name) => services.indexed(namespace, name),
  };
  const cluster = writeThrough(options.cluster, (resource, object) => {
    // A resource is told by its kind alone, and its type is that of its objects.
    if (resource.kind === MODEL_FUNCTIONS.kind) functions.observe(object as unknown as ModelFunction);
    else if (resource.kind === MODEL_REVISIONS.kind) revisions.observe(object as unknown as ModelRevision);
    else if (resource.kind === PODS.kind) pods.observe(object as unknown as Pod);
    else if (resource.kind === SERVICES.kind) services.observe(object);
    else if (resource.kind === NETWORK_POLICIES.kind) networkPolicies.observe(object);
  });
  return { cluster, functions, revisions, pods, services, networkPolicies, observed };
}
