/** What a gateway knows and guesses about one pod. Whether the pod takes a request is the pod's own decision, made anew each time. */
import type { Announcement, PodAddress } from '../../common/wire/announcement.ts';
import type { Candidate } from './pod-picker.ts';
import type { ConnectPod, PodConnection } from './pod-connection.ts';
import { podRest, type RestReason } from './pod-rest.ts';

/**
 * Requests at once in a pod that has no limit of its own. Each takes a connection, and a pod that is this far behind answers no faster for
 * getting more; the rest waits in the queue, where it can still go to another pod.
 */
const MOST_CONNECTIONS = 1_000;

export class Pod implements Candidate {
  readonly uid: string;
  readonly name: string;
  /** Requests sent to it by this gateway. */
  inFlight = 0;
  /** The last one it made; undefined for a pod known from routes alone. */
  announcement: Announcement | undefined = undefined;
  /** Of the last announcement, on the monotonic clock. */
  announcedAt = 0;
  /** What routes last said of its address; undefined while they have not listed it. */
  listed: PodAddress | undefined = undefined;
  terminating = false;
  /** It is to go once no request is in it. */
  spare = false;
  readonly #connect: ConnectPod;
  #address: PodAddress;
  #connection: PodConnection;
  #failures = 0;
  #reason: RestReason = 'Unreachable';
  #restUntil = 0;

  constructor(uid: string, name: string, address: PodAddress, connect: ConnectPod) {
    this.uid = uid;
    this.name = name;
    this.#connect = connect;
    this.#address = address;
    this.#connection = connect(address);
  }

  get address(): PodAddress {
    return this.#address;
  }

  get connection(): PodConnection {
    return this.#connection;
  }

  /** When it may be asked again, on the monotonic clock; in the past for a pod in good order. */
  get restUntil(): number {
    return this.#restUntil;
  }

  hasRoom(limit: number): boolean {
    return this.inFlight < (limit === 0 ? MOST_CONNECTIONS : limit);
  }

  isAvailable(now: number, limit: number): boolean {
    return now >= this.#restUntil && this.hasRoom(limit);
  }

  /**
   * It gets a request. If it did not take the last one, it is left alone again after this one: all that wait would otherwise be sent to a full pod
   * each time that it has rested, bodies and all.
   */
  take(now: number): void {
    this.inFlight += 1;
    if (this.#failures > 0) this.#restUntil = now + podRest(this.#reason, this.#failures);
  }

  /** It did not take a request, so it is left alone for a while. */
  rest(reason: RestReason, now: number): void {
    this.#failures += 1;
    this.#reason = reason;
    this.#restUntil = now + podRest(reason, this.#failures);
  }

  /** It answered, or somebody vouched for it. */
  renew(): void {
    this.#failures = 0;
    this.#restUntil = 0;
  }

  /** A runtime that restarts in its pod may listen on other ports than before. */
  moveTo(address: PodAddress): void {
    if (sameAddress(this.#address, address)) return;
    this.#connection.close();
    this.#address = address;
    this.#connection = this.#connect(address);
  }

  close(): void {
    this.#connection.close();
  }
}

export function sameAddress(a: PodAddress, b: PodAddress): boolean {
  return (
    a.host === b.host &&
    a.ports.http === b.ports.http &&
    a.ports.grpc === b.ports.grpc &&
    a.ports.control === b.ports.control
  );
}
