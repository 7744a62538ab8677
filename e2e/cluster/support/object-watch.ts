/**
 * Follows the objects of a resource by kubectl, and waits for what they become. It outlives the API server: after a gap it lists again, and then has
 * missed what was and went within the gap.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { KubernetesObject, Resource, Scope } from '../../../operator/cluster/port.ts';
import { listObjects, listPath } from './objects.ts';

/** Nothing that a test waits for takes longer, even on a busy machine. */
export const PATIENCE_SECONDS = 60;
const RETRY_MILLISECONDS = 500;

/** A state of an object, in the order in which the API server told them. */
export interface Seen<T> {
  readonly object: T;
  readonly deleted: boolean;
  /** When it was told, in milliseconds since the epoch. */
  readonly at: number;
}

interface WatchLine<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: T;
}

export class ObjectWatch<T extends KubernetesObject> {
  /** Every state since the watch began. */
  readonly history: Seen<T>[] = [];
  readonly #resource: Resource<T>;
  readonly #scope: Scope;
  readonly #objects = new Map<string, T>();
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<void>;
  #synced = false;
  #problem = '';

  constructor(resource: Resource<T>, scope: Scope) {
    this.#resource = resource;
    this.#scope = scope;
    this.#ended = this.#follow();
  }

  /** Those that exist now. */
  get objects(): readonly T[] {
    return [...this.#objects.values()];
  }

  /**
   * What `look` finds, at the first moment at which it finds something.
   * @param show objects that the message tells of, if it was in vain
   */
  async until<Found>(
    what: string,
    look: (objects: readonly T[]) => Found | undefined,
    seconds = PATIENCE_SECONDS,
    show: (object: T) => boolean = () => true,
  ): Promise<Found> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(attempt);
        settle();
      };
      const attempt = (): void => {
        let found: Found | undefined;
        try {
          found = this.#synced ? look(this.objects) : undefined;
        } catch (error) {
          end(() => reject(error instanceof Error ? error : new Error(String(error))));
          return;
        }
        if (found !== undefined) end(() => resolve(found));
      };
      const timer = setTimeout(() => {
        end(() => reject(new Error(`Waited ${seconds} s in vain until ${what}. ${this.#state(show)}`)));
      }, seconds * 1000);
      this.#waiting.add(attempt);
      attempt();
    });
  }

  /** Once a state was told, since the watch began; it may have passed. */
  async untilSeen(what: string, isIt: (object: T) => boolean): Promise<void> {
    await this.until(what, () => (this.history.some(({ object }) => isIt(object)) ? true : undefined));
  }

  /** Once what existed when it began is known. */
  async synced(): Promise<this> {
    await this.until(`${this.#resource.plural} are listed`, () => true);
    return this;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  #state(show: (object: T) => boolean): string {
    const seen = this.objects.filter(show).map(({ metadata: { name, deletionTimestamp }, ...rest }) => ({
      name,
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...('status' in rest ? { status: rest.status } : {}),
    }));
    const problem = this.#problem === '' ? '' : ` The watch: ${this.#problem}`;
    return `${this.#resource.plural} now: ${JSON.stringify(seen, undefined, 1)}${problem}`;
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#watchFrom(await this.#list());
      } catch (error) {
        this.#problem = String(error);
        await delay(RETRY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #list(): Promise<string> {
    const { objects, resourceVersion } = await listObjects(this.#resource, this.#scope);
    const before = new Map(this.#objects);
    for (const object of objects) {
      const known = before.get(keyOf(object));
      before.delete(keyOf(object));
      if (known?.metadata.resourceVersion !== object.metadata.resourceVersion) this.#see(object, false);
    }
    for (const gone of before.values()) this.#see(gone, true);
    this.#synced = true;
    this.#look();
    return resourceVersion;
  }

  /** Resolves when the API server ends the watch. */
  async #watchFrom(resourceVersion: string): Promise<void> {
    const path = listPath(this.#resource, this.#scope, { watch: 'true', resourceVersion });
    const child = spawn('kubectl', ['get', '--raw', path], { signal: this.#stop.signal });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', () => undefined);
    const closed = once(child, 'close');
    // Stopping it is an error of the child's; whoever still reads its lines does not wait for this yet.
    closed.catch(() => undefined);
    for await (const line of createInterface(child.stdout)) {
      const { type, object } = JSON.parse(line) as WatchLine<T>;
      if (type === 'ERROR') throw new Error(line);
      if (type === 'BOOKMARK') continue;
      this.#see(object, type === 'DELETED');
      this.#look();
    }
    await closed;
    if (stderr !== '') throw new Error(stderr.trim());
  }

  #see(object: T, deleted: boolean): void {
    if (deleted) this.#objects.delete(keyOf(object));
    else this.#objects.set(keyOf(object), object);
    this.history.push({ object, deleted, at: Date.now() });
  }

  #look(): void {
    for (const attempt of [...this.#waiting]) attempt();
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubernetesObject): string {
  return `${namespace}/${name}`;
}
