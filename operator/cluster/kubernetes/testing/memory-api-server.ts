/**
 * An in-memory cluster behind the Kubernetes REST API, so that tests can put a network between it and the adapter. It serves what the adapter asks and
 * no more: no tables, no patches but merge patches, no authentication, bookmarks only when a watch begins. Only for tests and benchmarks.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../../common/platform/clock.ts';
import { ClusterError, type Cluster, type DeleteOptions, type KubernetesObject, type Resource } from '../../port.ts';
import * as RESOURCES from '../../resources.ts';

type AnyResource = Resource<KubernetesObject>;

export interface MemoryApiServer {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  close(): Promise<void>;
}

interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly version: number;
  readonly object: KubernetesObject;
  readonly previous: KubernetesObject | undefined;
}

/** What is at a path. */
interface Target {
  readonly resource: AnyResource;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

/** The state and the changes of a resource, as an API server's watch cache has them. */
class WatchedResource {
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #changes: Change[] = [];
  readonly #watchers = new Set<(change: Change) => void>();

  constructor(cluster: Cluster, resource: AnyResource, signal: AbortSignal) {
    cluster.watch(
      resource,
      {},
      (event) => {
        if (event.type === 'Synced') return;
        const { object } = event;
        const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
        const previous = this.#objects.get(key);
        if (event.type === 'Deleted') this.#objects.delete(key);
        else this.#objects.set(key, object);
        const type = event.type === 'Deleted' ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED';
        const change = { type, version: Number(object.metadata.resourceVersion), object, previous } as const;
        this.#changes.push(change);
        for (const watcher of this.#watchers) watcher(change);
      },
      signal,
    );
  }

  list(): { readonly items: readonly KubernetesObject[]; readonly version: number } {
    return { items: [...this.#objects.values()], version: this.#changes.at(-1)?.version ?? 0 };
  }

  /** Gives each change above the version; returns what ends it. */
  follow(version: number, watcher: (change: Change) => void): () => void {
    for (const change of this.#changes) if (change.version > version) watcher(change);
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }
}

/** @param clock of the cluster, which its answers tell */
export async function startMemoryApiServer(cluster: Cluster, clock: Pick<Clock, 'now'>): Promise<MemoryApiServer> {
  const ending = new AbortController();
  const resources = Object.values(RESOURCES).map((resource) => ({
    resource: resource,
    watched: new WatchedResource(cluster, resource as AnyResource, ending.signal),
  }));
  const server = createServer((request, response) => {
    response.setHeader('date', new Date(clock.now()).toUTCString());
    const url = new URL(request.url ?? '/', 'http://localhost');
    const found = resources
      .map(({ resource, watched }) => ({ target: parsePath(url.pathname, resource), watched }))
      .find(({ target }) => target !== undefined);
    if (found?.target === undefined) return send(response, 404, { kind: 'Status', code: 404, reason: 'NotFound' });
    const { target, watched } = found;
    if (url.searchParams.get('watch') === 'true') return watch(watched, target, url.searchParams, response);
    if (request.method === 'GET' && target.name === undefined) {
      const { items, version } = watched.list();
      const selected = items.filter((object) => isSelected(object, target, url.searchParams));
      return send(response, 200, { metadata: { resourceVersion: String(version) }, items: selected });
    }
    readJson(request)
      .then((body) => serve(cluster, request.method ?? '', target, body))
      .then(
        (body) => send(response, request.method === 'POST' ? 201 : 200, body),
        (error: unknown) => sendError(response, error, target),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      ending.abort();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function parsePath(path: string, resource: AnyResource): Target | undefined {
  const root = resource.apiVersion.includes('/') ? `/apis/${resource.apiVersion}/` : `/api/${resource.apiVersion}/`;
  if (!path.startsWith(root)) return undefined;
  const parts = path.slice(root.length).split('/').map(decodeURIComponent);
  const namespace = parts[0] === 'namespaces' ? parts.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = parts;
  return plural === resource.plural ? { resource, namespace, name, subresource } : undefined;
}

function isSelected({ metadata }: KubernetesObject, { namespace }: Target, query: URLSearchParams): boolean {
  if (namespace !== undefined && metadata.namespace !== namespace) return false;
  const selector = query.get('labelSelector') ?? '';
  const terms = selector === '' ? [] : selector.split(',');
  return terms.every((term) => {
    const [label = '', value] = term.split('=');
    return metadata.labels?.[label] === value;
  });
}

function watch(watched: WatchedResource, target: Target, query: URLSearchParams, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
  const write = (type: string, object: object): boolean => response.write(`${JSON.stringify({ type, object })}\n`);
  const stop = watched.follow(Number(query.get('resourceVersion')), ({ type, object, previous }) => {
    const selected = isSelected(object, target, query);
    const was = previous !== undefined && isSelected(previous, target, query);
    if (selected) write(type === 'MODIFIED' && !was ? 'ADDED' : type, object);
    else if (was) write('DELETED', object);
  });
  write('BOOKMARK', { metadata: { resourceVersion: String(watched.list().version) } });
  response.on('close', stop);
}

async function serve(cluster: Cluster, method: string, target: Target, body: unknown): Promise<object> {
  const { resource, namespace, name = '', subresource } = target;
  const key = { name, ...(namespace === undefined ? {} : { namespace }) };
  switch (method) {
    case 'GET': {
      const object = await cluster.get(resource, key);
      if (object !== undefined) return object;
      throw new ClusterError('NotFound', `${resource.plural} "${name}" not found`, { status: 404 });
    }
    case 'POST':
      return cluster.create(resource, body as KubernetesObject);
    case 'PUT':
      return cluster.update(resource, body as KubernetesObject);
    case 'PATCH': {
      const { metadata, status, spec } = body as {
        readonly metadata?: { readonly resourceVersion: string };
        readonly status?: object;
        readonly spec?: { readonly replicas: number };
      };
      if (subresource !== 'scale') return cluster.patchStatus(resource, { ...key, ...metadata }, status ?? {});
      await cluster.scale(resource, key, spec?.replicas ?? 0);
      return {};
    }
    default: {
      const { preconditions, gracePeriodSeconds } = body as {
        readonly preconditions?: DeleteOptions;
        readonly gracePeriodSeconds?: number;
      };
      await cluster.delete(resource, key, {
        ...preconditions,
        ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      });
      return {};
    }
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : JSON.parse(text);
}

function sendError(response: ServerResponse, error: unknown, { name, resource }: Target): void {
  if (!(error instanceof ClusterError)) return send(response, 500, { kind: 'Status', message: String(error) });
  const { reason, status, message, causes } = error;
  const details = { name: name ?? resource.plural, causes };
  send(response, status === 0 ? 500 : status, { kind: 'Status', code: status, reason, message, details });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
