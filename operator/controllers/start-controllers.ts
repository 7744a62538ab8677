/** Wires the control loop: watches into queues, queues into controllers, decisions into pods, pods into routes. It decides nothing itself. */
import type { Registry } from 'prom-client';
import type { RuntimeImages } from '../../common/api/defaults.ts';
import { LABELS } from '../../common/api/names.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import type { SigningKey } from '../../common/wire/tokens.ts';
import { createAutoscaler, type Autoscaler } from '../autoscaler/autoscaler.ts';
import type { DemandSource } from '../autoscaler/demand-source.ts';
import type { Budget } from '../capacity/budget.ts';
import { activityOf } from '../capacity/activity.ts';
import { Capacity } from '../capacity/capacity.ts';
import { capacityMetrics } from '../capacity/capacity-metrics.ts';
import { eventRecorder } from '../cluster/events.ts';
import { ClusterError, type Cluster, type ObjectMeta } from '../cluster/port.ts';
import { MODEL_REVISIONS } from '../cluster/resources.ts';
import { NETWORK_POLICY_NAME } from '../network-policies/build-network-policy.ts';
import { AnnouncedPods } from '../pods/announced-pods.ts';
import type { DrainClient } from '../pods/drain-client.ts';
import type { PodSettings } from '../pods/pod-settings.ts';
import { signingKeyId } from '../pods/pod-tokens.ts';
import { startPhases } from '../pods/start-phases.ts';
import { RoutePublisher, type RouteSink } from '../routes/route-publisher.ts';
import { functionOfService } from '../services/build-services.ts';
import { FunctionController } from './function-controller.ts';
import { functionMetrics } from './function-metrics.ts';
import type { FunctionUrl } from './function-status.ts';
import { NetworkPolicyController } from './network-policy-controller.ts';
import { keyOf, parseKey } from '../cluster/object-key.ts';
import { EVERY, observeCluster } from './observed-cluster.ts';
import { queueMetrics } from './queue-metrics.ts';
import { RevisionController } from './revision-controller.ts';
import { RevisionMetrics } from './revision-metrics.ts';
import { untilNamespaceEnds } from './until-namespace-ends.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllersOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly demand: DemandSource;
  readonly askToDrain: DrainClient;
  readonly sink: RouteSink;
  /** `host:port` of each gateway's control port, at this moment. */
  readonly gateways: () => readonly string[];
  readonly images: RuntimeImages;
  readonly url: FunctionUrl;
  /** Of new pods' tokens, at this moment. */
  readonly signingKey: () => SigningKey;
  /** Of the runtimes. */
  readonly logLevel: string;
  readonly podSettings: PodSettings;
  /** Of resources that pods may only have so much of. */
  readonly budgets: readonly Budget[];
  /** DNS name of the gateways' Service, where the functions' own Services lead; undefined: functions have none. */
  readonly gatewayHost: string | undefined;
  /** Of the operators and the gateways. */
  readonly operatorNamespace: string;
  /** Whether namespaces with functions have a NetworkPolicy; if not, those that have one lose it. */
  readonly networkPolicies: boolean;
}

export interface Controllers {
  /** A gateway relayed that a pod is ready. */
  announce(announcement: Announcement): void;
  /** Looks at everything anew and makes it so. Before it returns, each route was handed on as it is. */
  lead(): void;
  /** Begins nothing more: watches, windows and routes are kept up to date, decisions are let be. */
  follow(): void;
  /** How many pods have tokens of each signing key, by its id; of all that exist, terminating ones too. */
  podsByKey(): ReadonlyMap<string, number>;
  /** Ends watches and timers, and resolves when no reconciliation runs. Pods stay. */
  close(): Promise<void>;
}

/** Reconciliations at once, of each kind; most of the time they wait for the API server. */
const CONCURRENCY = 16;

/** However long the API server was away, what waits for it, such as a pod that callers wait for, is tried within this of its return. */
const UNAVAILABLE_RETRY_MILLISECONDS = 5000;

/** Resolves when everything that exists has been seen and the route of each function handed on. It only follows until it is told to lead. */
export async function startControllers(options: ControllersOptions): Promise<Controllers> {
  const { clock, random, logger, registry, demand } = options;
  let leads = false;
  const ending = new AbortController();
  const { cluster, observed, functions, revisions, pods, services, networkPolicies } = observeCluster({
    ...options,
    signal: ending.signal,
  });
  const events = eventRecorder({ cluster, component: 'pilotlight-operator', clock, logger, random });
  const announced = new AnnouncedPods();
  const observePhases = startPhases(registry);

  const autoscaler: Autoscaler = createAutoscaler({
    clock,
    ledger: demand,
    scalable: (key) => revisionController.scalable(key),
    onDecision: (key, decision) => {
      if (!leads) return;
      const isWake = revisionController.decided(key, decision);
      logger.debug({ revision: key, ...decision }, 'Decided');
      // Whoever asks pods to go may wait for a second for those that do not answer, and after the loss of a node all others do.
      revisionQueue.add(key, isWake);
    },
    logger,
  });
  const capacity = new Capacity({
    budgets: options.budgets,
    clock,
    activityOf: (key) => activityOf(demand.demandOf(key), autoscaler.decision(key)),
    onChange: (key) => revisionQueue.add(key),
  });
  capacityMetrics(registry, () => (leads ? capacity.state() : []));
  const functionController = new FunctionController({ ...options, cluster, observed, events });
  functionMetrics(registry, () => (leads ? functions.list() : []));
  const metrics = new RevisionMetrics(registry);
  const revisionController = new RevisionController({
    ...options,
    cluster,
    observed,
    announced,
    autoscaler,
    capacity,
    events,
    metrics,
  });
  const networkPolicyController = new NetworkPolicyController({
    ...options,
    cluster,
    events,
    hasFunctions: (namespace) => functions.indexed(namespace, EVERY).length > 0,
    networkPolicy: (namespace, name) => networkPolicies.get({ namespace, name }),
  });
  const publisher = new RoutePublisher({ ...options, observed, podsOf: (key) => revisionController.routed(key) });

  const { queue: measuredQueue } = queueMetrics(registry);
  const queue = (controller: string, process: (key: string) => Promise<number | undefined>): WorkQueue =>
    measuredQueue(controller, {
      clock,
      random,
      concurrency: CONCURRENCY,
      process: untilNamespaceEnds(process),
      retryBounds,
      onError: (key, error, retryMilliseconds) =>
        logger.warn({ controller, key, retryMilliseconds, err: error }, 'Reconciling failed'),
    });
  const functionQueue = queue('function', (key) =>
    leads ? functionController.reconcile(key) : Promise.resolve(undefined),
  );
  /** By namespace. */
  const networkPolicyQueue = queue('network-policy', (namespace) =>
    leads ? networkPolicyController.reconcile(namespace) : Promise.resolve(undefined),
  );
  const routeQueue = queue('route', (key) => {
    publisher.update(key);
    return Promise.resolve(undefined);
  });
  const revisionQueue = queue('revision', async (key) => {
    try {
      if (leads) return await revisionController.reconcile(key);
      revisionController.follow(key);
      return undefined;
    } finally {
      // Also what only the controller remembers, such as failed starts, is in the route.
      const { namespace, name } = parseKey(key);
      const revision = observed.revision(namespace, name);
      if (revision !== undefined) routeQueue.add(keyOf({ namespace, name: revision.spec.functionName }));
    }
  });

  /** A change of a function or a revision concerns all revisions: traffic moves, history ends, old pods make room. */
  const addAll = (namespace: string, functionName: string): void => {
    const key = keyOf({ namespace, name: functionName });
    functionQueue.add(key);
    routeQueue.add(key);
    for (const { metadata } of observed.revisionsOf(namespace, functionName)) revisionQueue.add(keyOf(metadata));
  };
  /** By label and by owner: they differ once somebody relabels a pod, and the owner then needs another one. */
  const addRevisionsOf = ({ namespace = '', labels = {}, ownerReferences = [] }: ObjectMeta): void => {
    const owners = ownerReferences.filter(({ kind }) => kind === MODEL_REVISIONS.kind).map(({ name }) => name);
    for (const name of new Set([labels[LABELS.revision], ...owners])) {
      if (name !== undefined) revisionQueue.add(keyOf({ namespace, name }));
    }
  };

  const close = async (): Promise<void> => {
    ending.abort();
    autoscaler.close();
    capacity.clear();
    await Promise.all([functionQueue, revisionQueue, routeQueue, networkPolicyQueue].map((each) => each.close()));
    await events.flush();
  };
  try {
    await Promise.all([functions, revisions, pods, services, networkPolicies].map(({ synced }) => synced));
  } catch (error) {
    await close();
    throw error;
  }

  // Subscribed only now, for what is half seen looks like something to repair.
  functions.subscribe(({ type, object: { metadata, status } }) => {
    const { namespace = '', name } = metadata;
    addAll(namespace, name);
    // Perhaps the first one of its namespace, or the last one.
    if (type === 'Deleted' || status === undefined) networkPolicyQueue.add(namespace);
  });
  services.subscribe(({ object: { metadata } }) => {
    functionQueue.add(keyOf({ ...metadata, name: functionOfService(metadata.name) }));
  });
  networkPolicies.subscribe(({ object: { metadata } }) => {
    if (metadata.name === NETWORK_POLICY_NAME) networkPolicyQueue.add(metadata.namespace ?? '');
  });
  revisions.subscribe(({ object }) => {
    revisionQueue.add(keyOf(object.metadata));
    addAll(object.metadata.namespace ?? '', object.spec.functionName);
  });
  pods.subscribe(({ type, object }) => {
    const { namespace = '', labels = {}, uid = '' } = object.metadata;
    addRevisionsOf(object.metadata);
    if (type !== 'Deleted') return capacity.see(object);
    capacity.gone(object);
    announced.delete(uid);
    const functionName = labels[LABELS.function];
    if (functionName !== undefined) addAll(namespace, functionName);
  });
  for (const pod of pods.list()) capacity.see(pod);
  const lookAtEverything = (): void => {
    for (const { metadata } of functions.list()) {
      addAll(metadata.namespace ?? '', metadata.name);
      networkPolicyQueue.add(metadata.namespace ?? '');
      publisher.update(keyOf(metadata));
    }
    for (const { metadata } of pods.list()) addRevisionsOf(metadata);
    for (const { metadata } of networkPolicies.list()) {
      if (metadata.name === NETWORK_POLICY_NAME) networkPolicyQueue.add(metadata.namespace ?? '');
    }
  };
  lookAtEverything();

  return {
    lead: () => {
      leads = true;
      revisionController.takeOver(revisions.list().map(({ metadata }) => keyOf(metadata)));
      lookAtEverything();
    },
    follow: () => {
      leads = false;
      revisionController.handOver();
    },
    announce: (announcement) => {
      if (announced.add(announcement, clock.monotonic()) && leads) observePhases(announcement);
      revisionQueue.add(keyOf({ namespace: announcement.namespace, name: announcement.revision }));
    },
    podsByKey: () => {
      const counts = new Map<string, number>();
      for (const pod of pods.list()) {
        const id = signingKeyId(pod);
        if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
      }
      return counts;
    },
    close,
  };
}

function retryBounds(error: unknown): { readonly least?: number; readonly longest?: number } {
  if (!(error instanceof ClusterError)) return {};
  const { reason, retryAfterSeconds = 0 } = error;
  return {
    least: retryAfterSeconds * 1000,
    ...(reason === 'Unavailable' ? { longest: UNAVAILABLE_RETRY_MILLISECONDS } : {}),
  };
}
