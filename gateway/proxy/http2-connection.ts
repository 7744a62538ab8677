/**
 * The connection to a pod's gRPC port: one, by HTTP/2 without TLS, made for the first call and again when it is gone.
 */
import { connect, type ClientHttp2Session } from 'node:http2';
import type { Dispatcher } from 'undici';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import type { PodChannel } from '../revision/pod-connection.ts';
import { dial } from './dial.ts';
import { Http2Dispatch } from './http2-dispatch.ts';
import { NotSent } from './not-sent.ts';
import { PodReach } from './pod-reach.ts';

/** Below what a pod keeps idle connections for, and short enough that one to a node that is gone is not met for long. */
const IDLE_MILLISECONDS = 4_000;
/** Bytes of one answer that may be under way, and of all together. */
const STREAM_WINDOW = 256 * 1024;
const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** Of what all calls to this pod have in memory. */
const SESSION_MEGABYTES = 256;

export class Http2Connection implements PodChannel {
  readonly #host: string;
  readonly #port: number;
  readonly #clock: Clock;
  readonly #reach: PodReach;
  #session: PodSession | undefined;

  constructor(host: string, port: number, clock: Clock) {
    this.#host = host;
    this.#port = port;
    this.#clock = clock;
    // Calls that begin now would go the way of those before.
    this.#reach = new PodReach(
      clock,
      () => dial(host, port),
      () => this.#session?.destroy(),
    );
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    if (this.#session?.isUsable !== true) this.#session = new PodSession(this.#host, this.#port, this.#clock);
    this.#session.dispatch(options, handler);
  }

  isLost(): boolean {
    return this.#reach.isLost();
  }

  close(): void {
    this.#session?.close();
    this.#session = undefined;
  }
}

class PodSession {
  readonly #session: ClientHttp2Session;
  readonly #clock: Clock;
  /** While it is being made. */
  readonly #waiting: Http2Dispatch[] = [];
  #calls = 0;
  #cancelIdle: Cancel | undefined;

  constructor(host: string, port: number, clock: Clock) {
    const session = connect('http://pod', {
      createConnection: () => dial(host, port),
      maxSessionMemory: SESSION_MEGABYTES,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW },
    });
    this.#session = session;
    this.#clock = clock;
    // What it breaks are its calls, which hear of it themselves.
    session.on('error', () => undefined);
    session.on('goaway', () => this.close());
    session.on('connect', () => {
      session.setLocalWindowSize(CONNECTION_WINDOW);
      for (const call of this.#waiting.splice(0)) this.#begin(call);
      if (this.#calls === 0) this.#beIdle();
    });
    session.on('close', () => {
      this.#cancelIdle?.();
      for (const call of this.#waiting.splice(0)) call.fail(new NotSent('The pod could not be connected to.'));
    });
  }

  get isUsable(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const call = new Http2Dispatch(this.#session, options, handler);
    if (this.#session.connecting) this.#waiting.push(call);
    else this.#begin(call);
  }

  /** Calls that are under way go on. */
  close(): void {
    if (!this.#session.closed) this.#session.close();
  }

  /** Calls that are under way fail. */
  destroy(): void {
    this.#session.destroy(new Error('The pod cannot be connected to any more.'));
  }

  #begin(call: Http2Dispatch): void {
    const stream = call.begin();
    if (stream === undefined) return;
    this.#cancelIdle?.();
    this.#calls += 1;
    stream.once('close', () => {
      this.#calls -= 1;
      if (this.#calls === 0 && this.isUsable) this.#beIdle();
    });
  }

  #beIdle(): void {
    this.#cancelIdle = this.#clock.after(IDLE_MILLISECONDS, () => this.close());
  }
}
