/**
 * Tells people what happened to an object, as Events of core/v1 that `kubectl describe` shows. A repeated one is counted up instead of written
 * again. Events are a courtesy: they are written in the background, and what cannot be written is given up with a line in the log.
 */
import { timestamp } from '../../common/api/conditions.ts';
import { cutText } from '../../common/text/cut-text.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { isClusterError, type Cluster, type KubernetesObject } from './port.ts';
import { EVENTS, type Event } from './resources.ts';

export interface EventRecorder {
  /** `reason` is one word for programs, `message` a sentence for people; it is cut at 1024 bytes. Never throws. */
  record(about: KubernetesObject, type: Event['type'], reason: string, message: string): void;
  /** Resolves when everything recorded so far is written or given up. */
  flush(): Promise<void>;
}

export interface EventRecorderOptions {
  readonly cluster: Pick<Cluster, 'create' | 'update'>;
  /** Who reports: `pilotlight-operator`. */
  readonly component: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** In [0, 1); makes the events' names. */
  readonly random: () => number;
}

/** The API's limit for notes. */
const MAX_MESSAGE_BYTES = 1024;
/** What is repeated after this long is news again. */
const WINDOW_MILLISECONDS = 10 * 60_000;
/** A loop that reports the same each second costs the API server one write in this time; the count stays right. */
const REPEAT_MILLISECONDS = 10_000;
/** Different events that are remembered, the latest. */
const MAX_REMEMBERED = 1000;
/** Waiting to be written; more than an API server that answers at all ever lets pile up. */
const MAX_PENDING = 200;

interface Remembered {
  /** As it was written last, or as it will be written first. */
  event: Event;
  count: number;
  /** Monotonic milliseconds. */
  lastSeen: number;
  lastWritten: number | undefined;
  isPending: boolean;
}

export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  return new Recorder(options);
}

class Recorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  /** In the order in which they were seen last. */
  readonly #remembered = new Map<string, Remembered>();
  readonly #pending: Remembered[] = [];
  #writing: Promise<void> | undefined;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(about: KubernetesObject, type: Event['type'], reason: string, message: string): void {
    const now = this.#options.clock.monotonic();
    const text = cutText(message, MAX_MESSAGE_BYTES, '…');
    const { namespace = '', name, uid = '' } = about.metadata;
    const key = JSON.stringify([about.kind, namespace, name, uid, type, reason, text]);
    let entry = this.#remembered.get(key);
    if (entry !== undefined && now - entry.lastSeen < WINDOW_MILLISECONDS) {
      entry.count++;
      entry.lastSeen = now;
    } else {
      const event = this.#makeEvent(about, type, reason, text);
      entry = { event, count: 1, lastSeen: now, lastWritten: undefined, isPending: false };
    }
    this.#remembered.delete(key);
    this.#remembered.set(key, entry);
    this.#forgetOldest();
    if (entry.isPending || (entry.lastWritten !== undefined && now - entry.lastWritten < REPEAT_MILLISECONDS)) return;
    if (this.#pending.length >= MAX_PENDING) {
      this.#options.logger.debug({ reason, about: name }, 'Dropped event: too many wait to be written');
      return;
    }
    entry.isPending = true;
    this.#pending.push(entry);
    this.#writing ??= this.#writeAll();
  }

  flush(): Promise<void> {
    return this.#writing ?? Promise.resolve();
  }

  async #writeAll(): Promise<void> {
    for (let entry = this.#pending.shift(); entry !== undefined; entry = this.#pending.shift()) {
      entry.isPending = false;
      const isRepeat = entry.lastWritten !== undefined;
      entry.lastWritten = this.#options.clock.monotonic();
      try {
        entry.event = await this.#write(
          { ...entry.event, count: entry.count, lastTimestamp: timestamp(this.#options.clock.now()) },
          isRepeat,
        );
      } catch (error) {
        const { reason, involvedObject } = entry.event;
        this.#options.logger.debug({ reason, about: involvedObject.name, error: String(error) }, 'Gave up event');
      }
    }
    this.#writing = undefined;
  }

  async #write(event: Event, isRepeat: boolean): Promise<Event> {
    const { cluster } = this.#options;
    if (!isRepeat || event.metadata.resourceVersion === undefined) return cluster.create(EVENTS, event);
    try {
      return await cluster.update(EVENTS, event);
    } catch (error) {
      // The API server forgets events after an hour.
      if (!isClusterError(error, 'NotFound', 'Conflict')) throw error;
      const { namespace } = event.metadata;
      const metadata = { name: this.#name(event.involvedObject.name), ...(namespace !== undefined && { namespace }) };
      return cluster.create(EVENTS, { ...event, metadata });
    }
  }

  #makeEvent(about: KubernetesObject, type: Event['type'], reason: string, message: string): Event {
    const { namespace, name, uid } = about.metadata;
    return {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { namespace: namespace ?? 'default', name: this.#name(name) },
      involvedObject: {
        apiVersion: about.apiVersion,
        kind: about.kind,
        name,
        ...(namespace !== undefined && { namespace }),
        ...(uid !== undefined && { uid }),
      },
      type,
      reason,
      message,
      firstTimestamp: timestamp(this.#options.clock.now()),
      source: { component: this.#options.component },
    };
  }

  /** `digits.18f3a…`: an object's name has at most 253 characters, and so has an event's. */
  #name(about: string): string {
    const suffix = Math.floor(this.#options.random() * 2 ** 48).toString(16);
    return `${about.slice(0, 240)}.${suffix.padStart(12, '0')}`;
  }

  #forgetOldest(): void {
    for (const key of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) return;
      this.#remembered.delete(key);
    }
  }
}
