/** The adapter to a real API server. */
import type { Clock } from '../../../common/platform/clock.ts';
import type { Logger } from '../../../common/platform/logging.ts';
import {
  ClusterError,
  isClusterError,
  type Cluster,
  type DeleteOptions,
  type KubernetesObject,
  type ObjectKey,
  type Resource,
  type Scope,
  type WatchEvent,
} from '../port.ts';
import { loadAccess } from './access.ts';
import { collectionPath, describeObject, labelSelector, objectPath } from './resource-path.ts';
import { Transport, type Call } from './transport.ts';
import { withoutManagedFields } from './without-managed-fields.ts';
import { WatchLoop, type WatchFreshness } from './watch-loop.ts';

export interface KubernetesClusterOptions {
  /** Without it, the pod's service account. */
  readonly kubeconfigPath?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); spreads reconnects. */
  readonly random: () => number;
}

export interface KubernetesCluster extends Cluster {
  /** The API server's wall clock, in milliseconds since the epoch; this machine's before its first answer. */
  now(): number;
  /** How fresh each running watch is. */
  watches(): readonly WatchFreshness[];
  /** Ends the watches and breaks off the calls; both are over when it resolves. */
  close(): Promise<void>;
}

/** Connects lazily: only a kubeconfig that cannot be used throws here. */
export function kubernetesCluster(options: KubernetesClusterOptions): KubernetesCluster {
  return new Adapter(options, new Transport(loadAccess(options.kubeconfigPath), options.clock));
}

/** Objects a page: client-go's number. A list of any length costs the API server and this process little at a time. */
const PAGE_SIZE = 500;

interface List<T> {
  readonly items?: readonly T[] | null;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
}

class Adapter implements KubernetesCluster {
  readonly #options: KubernetesClusterOptions;
  readonly #transport: Transport;
  readonly #closed = new AbortController();
  readonly #watches = new Map<WatchFreshness, Promise<void>>();

  constructor(options: KubernetesClusterOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
  }

  async get<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Promise<T | undefined> {
    try {
      return await this.#call<T>({
        method: 'GET',
        path: objectPath(resource, key),
        what: `get ${describeObject(resource, key)}`,
      });
    } catch (error) {
      if (isClusterError(error, 'NotFound')) return undefined;
      throw error;
    }
  }

  async list<T extends KubernetesObject>(resource: Resource<T>, scope: Scope = {}): Promise<T[]> {
    return (await this.#list(resource, scope)).objects;
  }

  watch<T extends KubernetesObject>(
    resource: Resource<T>,
    scope: Scope,
    onEvent: (event: WatchEvent<T>) => void,
    signal: AbortSignal,
  ): void {
    const { clock, random, logger } = this.#options;
    const selector = labelSelector(scope);
    const what = `watch ${resource.plural}${scope.namespace === undefined ? '' : ` in ${scope.namespace}`}`;
    const loop = new WatchLoop<T>({
      name: [resource.plural, scope.namespace, selector].filter((it) => it !== undefined).join(' '),
      source: {
        list: (stop) => this.#list(resource, scope, stop),
        stream: (resourceVersion, timeoutSeconds, stop) =>
          this.#transport.stream({
            method: 'GET',
            path: collectionPath(resource, scope.namespace),
            query: {
              watch: 'true',
              allowWatchBookmarks: 'true',
              resourceVersion,
              timeoutSeconds: String(timeoutSeconds),
              labelSelector: selector,
            },
            what,
            signal: stop,
          }),
      },
      onEvent,
      signal: AbortSignal.any([signal, this.#closed.signal]),
      clock,
      random,
      logger,
    });
    const running = loop.run().finally(() => {
      this.#watches.delete(loop);
    });
    this.#watches.set(loop, running);
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    const { namespace } = object.metadata;
    return this.#call<T>({
      method: 'POST',
      path: collectionPath(resource, namespace),
      body: object,
      what: `create ${describeObject(resource, object.metadata)}`,
    });
  }

  async update<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    const what = `update ${describeObject(resource, object.metadata)}`;
    if (object.metadata.resourceVersion === undefined) {
      // The API server would overwrite whatever is there.
      throw new ClusterError('Invalid', `${what}: metadata.resourceVersion must be that of the object it is based on`);
    }
    return this.#call<T>({ method: 'PUT', path: objectPath(resource, object.metadata), body: object, what });
  }

  patchStatus<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey & { readonly resourceVersion?: string },
    status: object,
  ): Promise<T> {
    const { resourceVersion } = key;
    return this.#call<T>({
      method: 'PATCH',
      path: objectPath(resource, key, 'status'),
      body: { ...(resourceVersion !== undefined && { metadata: { resourceVersion } }), status },
      what: `patch status of ${describeObject(resource, key)}`,
    });
  }

  async scale<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey, replicas: number): Promise<void> {
    await this.#call({
      method: 'PATCH',
      path: objectPath(resource, key, 'scale'),
      body: { spec: { replicas } },
      what: `scale ${describeObject(resource, key)} to ${replicas}`,
    });
  }

  async delete<T extends KubernetesObject>(
    resource: Resource<T>,
    key: ObjectKey,
    { gracePeriodSeconds, ...preconditions }: DeleteOptions = {},
  ): Promise<void> {
    await this.#call({
      method: 'DELETE',
      path: objectPath(resource, key),
      body: {
        propagationPolicy: 'Background',
        preconditions,
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      },
      what: `delete ${describeObject(resource, key)}`,
    });
  }

  now(): number {
    return this.#transport.time.now();
  }

  watches(): readonly WatchFreshness[] {
    return [...this.#watches.keys()];
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#transport.close();
    await Promise.all(this.#watches.values());
  }

  async #list<T extends KubernetesObject>(
    resource: Resource<T>,
    scope: Scope,
    signal?: AbortSignal,
  ): Promise<{ objects: T[]; resourceVersion: string }> {
    const { apiVersion, kind } = resource;
    const objects: T[] = [];
    let next: string | undefined;
    for (;;) {
      const page = await this.#call<List<T>>({
        method: 'GET',
        path: collectionPath(resource, scope.namespace),
        query: { limit: String(PAGE_SIZE), continue: next, labelSelector: labelSelector(scope) },
        what: `list ${resource.plural}`,
        ...(signal && { signal }),
      });
      // Items of a built-in kind's list do not say what they are.
      for (const item of page.items ?? []) objects.push(withoutManagedFields({ ...item, apiVersion, kind }));
      next = page.metadata?.continue;
      if (next === undefined || next === '') return { objects, resourceVersion: page.metadata?.resourceVersion ?? '' };
    }
  }

  async #call<T>(call: Call): Promise<T> {
    return withoutManagedFields((await this.#transport.call(call)) as T);
  }
}
