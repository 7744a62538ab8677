/**
 * A watch that never ends: lists, follows the changes from that list's resource version, and after whatever breaks goes on from the last version
 * it saw, or lists again where that cannot be trusted. It decides when to reconnect and what to report; its source does the I/O.
 */
import type { Clock } from '../../../common/platform/clock.ts';
import { wait } from '../../../common/platform/clock.ts';
import type { Logger } from '../../../common/platform/logging.ts';
import { ClusterError, type KubernetesObject, type WatchEvent } from '../port.ts';
import { backoffMilliseconds } from './backoff.ts';
import { KnownObjects } from '../known-objects.ts';
import { LineTooLong, readLines } from './lines.ts';
import { errorFromStatus } from './status-error.ts';
import { withoutManagedFields } from './without-managed-fields.ts';

export interface WatchSource<T> {
  list(signal: AbortSignal): Promise<{ readonly objects: readonly T[]; readonly resourceVersion: string }>;
  /** The response of a watch request that asks for bookmarks; the server ends it after `timeoutSeconds`. */
  stream(resourceVersion: string, timeoutSeconds: number, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
}

/** How fresh a watch's view is; for metrics and health. */
export interface WatchFreshness {
  /** `pods`, with the namespace and labels that it is limited to. */
  readonly name: string;
  readonly synced: boolean;
  /** Monotonic milliseconds at which the server last sent anything, a bookmark included (it sends one about every minute). */
  readonly lastContact: number;
}

export interface WatchLoopOptions<T> {
  readonly name: string;
  readonly source: WatchSource<T>;
  readonly onEvent: (event: WatchEvent<T>) => void;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The server ends a watch after this long, 1–2 times; so a load balancer or a restarted API server gets its share of the watches back. */
const TIMEOUT_SECONDS = 300;
/**
 * A connection that has been silent for longer is given up: the API server sends a bookmark about every minute, and a half-open connection
 * reports nothing for ever. Resources without bookmarks (Events) just reconnect, which costs one request.
 */
const SILENCE_MILLISECONDS = 150_000;
/** A connection on which something came must have held this long to be a good one: some proxies answer well, and cut each answer. */
const WORTH_MILLISECONDS = 1000;
/** A connection that held this long was a good one, even if nothing changed meanwhile. */
const HEALTHY_MILLISECONDS = 30_000;
/** An object is at most 1.5 MiB in etcd; as JSON, with its managed fields, a few times that. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** What the stream said cannot be trusted or continued: only a fresh list helps. */
class StreamBroken extends Error {}

export class WatchLoop<T extends KubernetesObject> implements WatchFreshness {
  readonly name: string;
  readonly #options: WatchLoopOptions<T>;
  readonly #known = new KnownObjects<T>();
  #synced = false;
  #lastContact: number;
  /** Where to go on; undefined means to list. */
  #resourceVersion: string | undefined;
  /** On the present connection. */
  #lines = 0;

  constructor(options: WatchLoopOptions<T>) {
    this.name = options.name;
    this.#options = options;
    this.#lastContact = options.clock.monotonic();
  }

  get synced(): boolean {
    return this.#synced;
  }

  get lastContact(): number {
    return this.#lastContact;
  }

  /** Resolves after the signal aborted, and never rejects. */
  async run(): Promise<void> {
    const { clock, random, signal, logger, name } = this.#options;
    const isOver = (): boolean => signal.aborted;
    let failures = 0;
    while (!isOver()) {
      const connectedAt = clock.monotonic();
      let failure: unknown;
      this.#lines = 0;
      try {
        await this.#follow(this.#resourceVersion ?? (await this.#list()));
      } catch (error) {
        if (isOver()) return;
        failure = error;
        const fields = { watch: name, failures, error: error instanceof Error ? error.message : String(error) };
        // Said once an outage, not at each attempt.
        if (failures === 0) logger.info(fields, 'Lost watch');
        else logger.debug(fields, 'Lost watch again');
      }
      const relist = needsList(failure);
      if (relist) this.#resourceVersion = undefined;
      const held = clock.monotonic() - connectedAt;
      if (held >= HEALTHY_MILLISECONDS) failures = 0;
      // A list always counts as a failure: a server that answers each one and then refuses its version must not be asked in a tight circle.
      failures = this.#lines > 0 && held >= WORTH_MILLISECONDS && !relist ? 0 : failures + 1;
      const retryAfterSeconds = failure instanceof ClusterError ? failure.retryAfterSeconds : undefined;
      await wait(clock, backoffMilliseconds(failures, random(), retryAfterSeconds), signal);
    }
  }

  async #list(): Promise<string> {
    const { objects, resourceVersion } = await this.#options.source.list(this.#options.signal);
    this.#lastContact = this.#options.clock.monotonic();
    this.#emit(this.#known.replace(objects));
    if (!this.#synced) {
      this.#synced = true;
      this.#emit([{ type: 'Synced' }]);
    }
    this.#resourceVersion = resourceVersion;
    return resourceVersion;
  }

  async #follow(resourceVersion: string): Promise<void> {
    const { source, signal, clock, random } = this.#options;
    const silence = new AbortController();
    let heardAt = clock.monotonic();
    const check = (): void => {
      const left = heardAt + SILENCE_MILLISECONDS - clock.monotonic();
      if (left > 0) cancel = clock.after(left, check);
      else silence.abort(new Error(`Silent for ${SILENCE_MILLISECONDS / 1000} s`));
    };
    let cancel = clock.after(SILENCE_MILLISECONDS, check);
    try {
      const timeoutSeconds = Math.round(TIMEOUT_SECONDS * (1 + random()));
      const stream = await source.stream(resourceVersion, timeoutSeconds, AbortSignal.any([signal, silence.signal]));
      this.#lastContact = clock.monotonic();
      for await (const line of readLines(stream, MAX_LINE_BYTES)) {
        heardAt = clock.monotonic();
        this.#lastContact = heardAt;
        if (signal.aborted) return;
        this.#handle(line);
        this.#lines++;
      }
    } finally {
      cancel();
    }
  }

  #handle(line: string): void {
    const { type, object } = parseLine<T>(line);
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        this.#emit(this.#known.apply(object));
        break;
      case 'DELETED':
        this.#emit(this.#known.remove(object));
        break;
      case 'BOOKMARK':
        break;
      default:
        throw new StreamBroken(`Unknown event type ${JSON.stringify(type)}`);
    }
    this.#resourceVersion = object.metadata.resourceVersion;
  }

  #emit(events: readonly WatchEvent<T>[]): void {
    const { signal, onEvent, logger, name } = this.#options;
    for (const event of events) {
      if (signal.aborted) return;
      try {
        onEvent(event);
      } catch (error) {
        // The watch serves others' state too; whoever threw has a bug to fix.
        logger.error({ watch: name, event: event.type, err: error }, 'Handler of watch threw');
      }
    }
  }
}

/**
 * Whether to list again instead of going on from the last version: after a broken stream, and when the server refuses the request itself, be it
 * that the version is compacted away (410), from a future before etcd was restored (504), or that the resource is gone (404).
 */
function needsList(error: unknown): boolean {
  if (error instanceof StreamBroken || error instanceof LineTooLong) return true;
  if (!(error instanceof ClusterError)) return false;
  return error.status === 504 || (error.status >= 400 && error.status < 500 && error.status !== 429);
}

interface WatchLine<T> {
  readonly type: string;
  readonly object: T;
}

function parseLine<T extends KubernetesObject>(line: string): WatchLine<T> {
  let parsed: Partial<WatchLine<Partial<T>>> | null;
  try {
    parsed = JSON.parse(line) as Partial<WatchLine<Partial<T>>> | null;
  } catch (error) {
    throw new StreamBroken('A line is not JSON', { cause: error });
  }
  const { type, object } = parsed ?? {};
  if (type === 'ERROR') throw new StreamBroken(errorFromStatus('ERROR event', object).message);
  const resourceVersion = object?.metadata?.resourceVersion;
  if (type === undefined || typeof resourceVersion !== 'string' || resourceVersion === '') {
    throw new StreamBroken('An event has no type or no resourceVersion');
  }
  return { type, object: withoutManagedFields(object as T) };
}
