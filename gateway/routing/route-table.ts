/**
 * Which revision serves a request. A function's entry is immutable and replaced whole, so a request that has looked once keeps a consistent
 * view; a lookup costs the same for one function and for ten thousand.
 */
import type { Announcement } from '../../common/wire/announcement.ts';
import type { FunctionRoute, RoutesUpdate } from '../../common/wire/routes.ts';
import type { Revision, RevisionSettings } from '../revision/revision.ts';
import { parseFunctionPath } from './function-path.ts';
import { parseHostName, type FunctionAddress, type HostDomains } from './host-name.ts';
import { pickShare, type Share } from './traffic-split.ts';

/** Which of the two traffic ports a request came in by. */
export type Listener = 'cluster' | 'external';

export interface RoutedFunction {
  readonly route: FunctionRoute;
  readonly shares: readonly Share<Revision>[];
  readonly tags: ReadonlyMap<string, Revision>;
  readonly revisions: ReadonlyMap<string, Revision>;
}

export interface Match {
  readonly routed: RoutedFunction;
  readonly tag: string | undefined;
  /** What the pod gets to see: path and query. */
  readonly target: string;
}

/** Most functions have none. */
const NO_TAGS: ReadonlyMap<string, Revision> = new Map();

/** Makes a revision of which the table has none yet. */
export type RevisionFactory = (namespace: string, name: string, settings: RevisionSettings) => Revision;

export class RouteTable {
  readonly #domains: HostDomains;
  readonly #createRevision: RevisionFactory;
  readonly #functions = new Map<string, RoutedFunction>();
  readonly #revisions = new Map<string, Revision>();

  constructor(domains: HostDomains, createRevision: RevisionFactory) {
    this.#domains = domains;
    this.#createRevision = createRevision;
  }

  get revisions(): Iterable<Revision> {
    return this.#revisions.values();
  }

  revision(namespace: string, name: string): Revision | undefined {
    return this.#revisions.get(`${namespace}/${name}`);
  }

  get announcements(): Announcement[] {
    return [...this.#revisions.values()].flatMap((revision) => revision.announcements);
  }

  /** A sentence instead of a match when there is no such function; the external listener tells nothing of those that are not for it. */
  find(host: string, target: string, listener: Listener): Match | string {
    const byHost = parseHostName(host, this.#domains);
    if (byHost !== undefined) {
      const routed = this.#visible(byHost, listener);
      if (routed !== undefined) return { routed, tag: byHost.tag, target };
    }
    const byPath = parseFunctionPath(target);
    if (byPath !== undefined) {
      const routed = this.#visible(byPath, listener);
      if (routed !== undefined) return { routed, tag: byPath.tag, target: byPath.target };
    }
    const asked = byPath ?? byHost;
    if (asked !== undefined) {
      const tag = asked.tag === undefined ? '' : ` with tag ${JSON.stringify(asked.tag)}`;
      return `There is no function ${JSON.stringify(asked.name)}${tag} in namespace ${JSON.stringify(asked.namespace)}.`;
    }
    return (
      `Host ${JSON.stringify(host)} names no function: use <function>.<namespace> as host, ` +
      `or the path /functions/<namespace>/<function>/.`
    );
  }

  /** The revision that serves a request to a function; undefined if nothing gets traffic. */
  choose({ routed, tag }: Match, random: () => number): Revision | undefined {
    return tag === undefined ? pickShare(routed.shares, random) : routed.tags.get(tag);
  }

  /** The same function as it is now, for a request that outlived what it found. */
  again({ routed, tag, target }: Match): Match | undefined {
    const now = this.#functions.get(keyOf(routed.route));
    return now === undefined ? undefined : { routed: now, tag, target };
  }

  /** Takes an update whose order was judged before. */
  apply(update: RoutesUpdate): void {
    const gone = update.full ? this.#unnamed(update.functions) : update.removed.map(keyOf);
    const displaced: Revision[] = [];
    for (const key of gone) {
      displaced.push(...(this.#functions.get(key)?.revisions.values() ?? []));
      this.#functions.delete(key);
    }
    for (const route of update.functions) {
      const before = this.#functions.get(keyOf(route));
      const routed = this.#route(route);
      this.#functions.set(keyOf(route), routed);
      for (const [name, revision] of before?.revisions ?? []) if (!routed.revisions.has(name)) displaced.push(revision);
    }
    // Last, so that requests that waited for them find the new routes.
    for (const revision of displaced) {
      this.#revisions.delete(`${revision.namespace}/${revision.name}`);
      revision.drop();
    }
  }

  #unnamed(functions: readonly FunctionRoute[]): string[] {
    const named = new Set(functions.map(keyOf));
    return [...this.#functions.keys()].filter((key) => !named.has(key));
  }

  #route(route: FunctionRoute): RoutedFunction {
    const settings: RevisionSettings = {
      functionName: route.name,
      timeoutSeconds: route.timeoutSeconds,
      concurrencyLimit: route.concurrencyLimit,
      queue: route.queue,
    };
    const revisions = new Map<string, Revision>();
    for (const revisionRoute of route.revisions) {
      const key = `${route.namespace}/${revisionRoute.name}`;
      const revision = this.#revisions.get(key) ?? this.#createRevision(route.namespace, revisionRoute.name, settings);
      this.#revisions.set(key, revision);
      revision.update(revisionRoute, settings);
      revisions.set(revisionRoute.name, revision);
    }
    const shares: Share<Revision>[] = [];
    let tags: Map<string, Revision> | undefined;
    for (const { revision: name, percent, tag } of route.traffic) {
      const target = revisions.get(name);
      if (target === undefined) continue;
      if (percent > 0) shares.push({ percent, target });
      if (tag !== undefined) (tags ??= new Map()).set(tag, target);
    }
    return { route, shares, tags: tags ?? NO_TAGS, revisions };
  }

  #visible({ namespace, name, tag }: FunctionAddress, listener: Listener): RoutedFunction | undefined {
    const routed = this.#functions.get(`${namespace}/${name}`);
    if (routed === undefined || (tag !== undefined && !routed.tags.has(tag))) return undefined;
    return listener === 'external' && routed.route.visibility !== 'External' ? undefined : routed;
  }
}

function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
