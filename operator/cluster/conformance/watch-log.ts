/** Records a watch's events so that a test can await what it expects, with a deadline and a readable failure. */
import type { Cluster, KubernetesObject, Resource, Scope, WatchEvent } from '../port.ts';

/** Garbage collection of a freshly installed CRD begins after up to 30 s on a real cluster; everything else is done within one. */
const DEADLINE_MILLISECONDS = 60_000;

export class WatchLog<T extends KubernetesObject> {
  readonly events: WatchEvent<T>[] = [];
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();

  constructor(cluster: Cluster, resource: Resource<T>, scope: Scope) {
    cluster.watch(
      resource,
      scope,
      (event) => {
        this.events.push(event);
        for (const check of this.#waiting) check();
      },
      this.#stop.signal,
    );
  }

  /** `Applied name`, `Deleted name`, `Synced`, in the order they came. */
  get summary(): string[] {
    return this.events.map((event) =>
      event.type === 'Synced' ? 'Synced' : `${event.type} ${event.object.metadata.name}`,
    );
  }

  /** The states that were reported of an object, in order. */
  of(name: string): WatchEvent<T>[] {
    return this.events.filter((event) => event.type !== 'Synced' && event.object.metadata.name === name);
  }

  synced(): Promise<void> {
    return this.until('Synced', () => this.summary.includes('Synced'));
  }

  deleted(name: string): Promise<void> {
    return this.until(`Deleted ${name}`, () => this.summary.includes(`Deleted ${name}`));
  }

  /** The first reported state of an object that fulfils the condition. */
  async applied(name: string, condition: (object: T) => boolean = () => true): Promise<T> {
    let found: T | undefined;
    await this.until(`Applied ${name} as wanted`, () => {
      for (const event of this.of(name)) {
        if (event.type === 'Applied' && condition(event.object)) found = event.object;
      }
      return found !== undefined;
    });
    if (found === undefined) throw new Error('unreachable');
    return found;
  }

  /** Resolves once the condition holds after an event; rejects with what came instead. */
  until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        reject(new Error(`Waited in vain for: ${what}. Events so far:\n${this.summary.join('\n')}`));
      }, DEADLINE_MILLISECONDS);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }

  stop(): void {
    this.#stop.abort();
  }
}

/** Starts a watch, hands it to `use`, and stops it whatever happens. */
export async function withWatch<T extends KubernetesObject>(
  cluster: Cluster,
  resource: Resource<T>,
  scope: Scope,
  use: (log: WatchLog<T>) => Promise<void>,
): Promise<void> {
  const log = new WatchLog(cluster, resource, scope);
  try {
    await use(log);
  } finally {
    log.stop();
  }
}
