/** What a gateway knows and guesses about one pod. Whether the pod takes a request is the pod's own decision, made anew each time. */
import type { Announcement, PodAddress } from '../../common/wire/announcement.ts';
import type { Candidate } from './pod-picker.ts';
import type { ConnectPod, PodConnection } from './pod-connection.ts';
import { errorRest, podRest, type RestReason } from './pod-rest.ts';
import { nextDoubling, slowStartRoom } from './slow-start.ts';

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
  /** Answers in a row that may be its own fault. */
  #errors = 0;
  #sparedUntil = 0;
  /** When it got its first request, since it is new or well again; and its answers since then. */
  #startedAt: number | undefined;
  #answers = 0;

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
    return Math.max(this.#restUntil, this.#sparedUntil);
  }

  /** It answers, but only with errors. */
  isSpared(now: number): boolean {
    return now < this.#sparedUntil;
  }

  /** When it may take one more request though it answers none before; infinite if never. */
  availableAt(now: number, limit: number): number {
    if (!this.#isBelow(limit)) return Number.POSITIVE_INFINITY;
    if (this.inFlight < this.#room(now)) return this.restUntil;
    return Math.max(this.restUntil, now + nextDoubling(this.#age(now)));
  }

  isAvailable(now: number, limit: number): boolean {
    return now >= this.#sparedUntil && this.isAvailableThoughSpared(now, limit);
  }

  isAvailableThoughSpared(now: number, limit: number): boolean {
    return now >= this.#restUntil && this.#isBelow(limit) && this.inFlight < this.#room(now);
  }

  /**
   * It gets a request. If it did not take the last one, it is left alone again after this one: all that wait would otherwise be sent to a full pod
   * each time that it has rested, bodies and all.
   */
  take(now: number): void {
    this.inFlight += 1;
    this.#startedAt ??= now;
    if (this.#failures > 0) this.#restUntil = now + podRest(this.#reason, this.#failures);
  }

  /** It did not take a request, so it is left alone for a while. */
  rest(reason: RestReason, now: number): void {
    this.#failures += 1;
    this.#reason = reason;
    this.#restUntil = now + podRest(reason, this.#failures);
  }

  /** It answered with this status. */
  answered(status: number, now: number): void {
    this.#answers += 1;
    this.renew();
    this.#errors = isFault(status) ? this.#errors + 1 : 0;
    const rest = errorRest(this.#errors);
    this.#sparedUntil = rest === 0 ? 0 : now + rest;
  }

  /** It answered, or somebody vouched for it. One that could not be had before begins anew. */
  renew(): void {
    if (this.#failures > 0 && this.#reason !== 'LimitReached') this.#startAnew();
    this.#failures = 0;
    this.#restUntil = 0;
  }

  /** A runtime that restarts in its pod may listen on other ports than before. */
  moveTo(address: PodAddress): void {
    if (sameAddress(this.#address, address)) return;
    this.#connection.close();
    this.#address = address;
    this.#connection = this.#connect(address);
    this.#startAnew();
  }

  close(): void {
    this.#connection.close();
  }

  #isBelow(limit: number): boolean {
    return this.inFlight < (limit === 0 ? MOST_CONNECTIONS : limit);
  }

  #room(now: number): number {
    return slowStartRoom(this.#answers, this.#age(now));
  }

  #age(now: number): number {
    return this.#startedAt === undefined ? 0 : now - this.#startedAt;
  }

  #startAnew(): void {
    this.#startedAt = undefined;
    this.#answers = 0;
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

/** Not 503 and 504: a request that expired, or that the pod had no room for, says nothing of the pod. */
function isFault(status: number): boolean {
  return status === 500 || status === 502;
}
