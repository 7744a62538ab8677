/**
 * A Kubernetes cluster of one node within this process: the backend of local mode, and the fake of every test. It answers the port as an API server
 * does, and, given a PodRunner, schedules and runs pods as a node does. It promises no durability: all is gone with the process.
 */
import type { Clock } from '../../../common/platform/clock.ts';
import {
  ClusterError,
  type Cluster,
  type DeleteOptions,
  type KubernetesObject,
  type ObjectKey,
  type Resource,
  type Scope,
  type WatchEvent,
} from '../port.ts';
import { PODS, SECRETS, type Pod } from '../resources.ts';
import { expireEvents } from './event-expiry.ts';
import type { ClusterCall, Faults } from './faults.ts';
import { GarbageCollector } from './garbage-collector.ts';
import { Kubelet } from './kubelet.ts';
import type { PodRunner } from './pod-runner.ts';
import { Registry } from './registry.ts';
import type { ResourceDefinition } from './resource-definition.ts';
import { Scheduler } from './scheduler.ts';
import { Store } from './store.ts';
import { resourceId, type ResourceId } from './stored-object.ts';
import { WatchHub } from './watch-hub.ts';

export interface MemoryClusterOptions {
  readonly clock: Clock;
  /** Between 0 and 1; makes the uids. */
  readonly random: () => number;
  /** The custom resources, beside those of Kubernetes itself. */
  readonly resources: readonly ResourceDefinition[];
  /** Without it the cluster has no node: pods stay Pending. */
  readonly runner?: PodRunner;
  /** Of the node, as quantities: `{'nvidia.com/gpu': '1', pods: '110'}`. cpu and memory are not limited unless named. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly faults?: Faults;
  /** Told what a watch's handler threw, which is its owner's bug; the watch goes on. Without it that is an uncaught exception. */
  readonly onHandlerError?: (error: unknown) => void;
}

export class MemoryCluster implements Cluster {
  readonly #registry: Registry;
  readonly #hub: WatchHub;
  readonly #faults: Faults;
  readonly #kubelet: Kubelet | undefined;
  readonly #closing = new AbortController();

  constructor({
    clock,
    random,
    resources,
    runner,
    capacity = {},
    faults = {},
    onHandlerError = throwUncaught,
  }: MemoryClusterOptions) {
    const store = new Store();
    this.#registry = new Registry({ store, clock, random, resources });
    this.#hub = new WatchHub(store, clock, onHandlerError);
    this.#faults = faults;
    const collector = new GarbageCollector(store, this.#registry);
    store.subscribe((change) => collector.observe(change));
    expireEvents(store, clock);
    if (runner !== undefined) this.#kubelet = this.#startNode(clock, runner, capacity);
  }

  get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    return this.#call('get', resource, key, (id) => this.#registry.get(id, key) as T | undefined);
  }

  list<T extends KubernetesObject>(resource: Resource<T>, scope: Scope = {}): Promise<T[]> {
    return this.#call('list', resource, undefined, (id) => this.#registry.list(id, scope) as unknown as T[]);
  }

  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    scope: Scope,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): void {
    this.#hub.watch({
      resource: resourceId(this.#registry.definition(resourceId(resource))),
      scope,
      onEvent: onEvent as (event: WatchEvent<KubernetesObject>) => void,
      signal: AbortSignal.any([signal, this.#closing.signal]),
      ...(this.#faults.delivery !== undefined && { fault: this.#faults.delivery }),
    });
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call('create', resource, object.metadata, (id) => this.#registry.create(id, object) as unknown as T);
  }

  update<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#call('update', resource, object.metadata, (id) => this.#registry.update(id, object) as unknown as T);
  }

  patchStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey & { readonly resourceVersion?: string },
    status: object,
  ): Promise<T> {
    return this.#call(
      'patchStatus',
      resource,
      key,
      (id) => this.#registry.patchStatus(id, key, status) as unknown as T,
    );
  }

  scale<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, replicas: number): Promise<void> {
    return this.#call('scale', resource, key, (id) => this.#registry.scale(id, key, replicas));
  }

  delete<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, options?: DeleteOptions): Promise<void> {
    return this.#call('delete', resource, key, (id) => this.#registry.delete(id, key, options));
  }

  /** Ends every watch, kills every pod and resolves when the last program is gone; calls are Unavailable from now on. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#kubelet?.close();
  }

  /** The work is done within the call, in a single step; only its outcome is told later. */
  #call<R>(
    verb: ClusterCall['verb'],
    resource: Resource<KubernetesObject>,
    key: ObjectKey | undefined,
    work: (id: ResourceId) => R,
  ): Promise<R> {
    return new Promise((resolve) => {
      if (this.#closing.signal.aborted) throw new ClusterError('Unavailable', 'The in-memory cluster is closed.');
      const id = resourceId(resource);
      const fault = this.#faults.call?.({ verb, resource: id, key });
      if (fault !== undefined) throw fault;
      resolve(work(id));
    });
  }

  #startNode(clock: Clock, runner: PodRunner, capacity: Readonly<Record<string, string>>): Kubelet {
    const registry = this.#registry;
    const scheduler = new Scheduler({ registry, clock, capacity });
    const kubelet = new Kubelet({
      clock,
      runner,
      faults: this.#faults,
      secret: (namespace, name) => registry.get(resourceId(SECRETS), { namespace, name }),
      writePod: (pod, change) => registry.writePod(pod, change),
      confirmDeletion: (pod) => registry.confirmPodDeletion(pod),
    });
    const { signal } = this.#closing;
    const observe = (event: WatchEvent<Pod>): void => {
      scheduler.observe(event);
      kubelet.observe(event);
    };
    this.#hub.watch({
      resource: resourceId(PODS),
      scope: {},
      onEvent: observe as (event: WatchEvent<KubernetesObject>) => void,
      signal,
    });
    this.#hub.watch({
      resource: resourceId(SECRETS),
      scope: {},
      onEvent: (event) => kubelet.secretChanged(event),
      signal,
    });
    return kubelet;
  }
}

function throwUncaught(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
