/**
 * One try of a request at one pod. It tells apart what may be tried again and what may not; whether it is, is decided elsewhere. Exactly one of
 * `failed` and `finished` or `broke` is called, once, unless the attempt is aborted: then none is.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import type { Cancel, Clock } from '../../common/platform/clock.ts';
import { NOT_ADMITTED, REQUEST_HEADERS, RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import type { PodChannel } from '../revision/pod-connection.ts';
import type { Pod } from '../revision/pod.ts';
import type { RestReason } from '../revision/pod-rest.ts';
import { NotSent } from './not-sent.ts';
import type { FailedAttempt } from './retry-decision.ts';

/** A pod says within milliseconds whether it admits a request. One that says nothing gets the rest of the body after this. */
const ADMISSION_MILLISECONDS = 1_000;

/** After so long without a sign of the pod it is asked whether there still is one. Most requests are over by then. */
const QUIET_MILLISECONDS = 5_000;

/** More than any refusal has; a pod that goes on talking loses the connection. */
const MOST_REFUSAL_BYTES = 16 * 1024;

export interface AttemptRequest {
  /** To the pod, by its protocol. */
  readonly channel: PodChannel;
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value, …: without the gateway's own. */
  readonly fields: readonly string[];
  readonly body: Buffer | Readable | null;
  /** Of a streamed body, if known. */
  readonly streamedLength: number | undefined;
  /** 0: none. */
  readonly concurrencyLimit: number;
  readonly timeoutMilliseconds: number;
}

export interface AttemptEvents {
  /** The rest of a streamed body may follow. */
  admitted(): void;
  /** No answer was begun. */
  failed(how: FailedAttempt | 'invalid' | 'timeout', why: RestReason | undefined): void;
  /** The pod proved who it is and answers. */
  answered(status: number, headers: IncomingHttpHeaders): void;
  /** False: pause until `resume`. */
  data(chunk: Buffer): boolean;
  finished(trailers: IncomingHttpHeaders): void;
  /** The answer ended in the middle. */
  broke(): void;
}

export class Attempt implements Dispatcher.DispatchHandler {
  readonly pod: Pod;
  readonly #clock: Clock;
  readonly #events: AttemptEvents;
  readonly #patience: number;
  #channel: PodChannel | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #state: 'connecting' | 'sent' | 'answering' | 'over' = 'connecting';
  #isStreamed = false;
  #refusalBytes = 0;
  #progressAt: number;
  #cancelPatience: Cancel | undefined;
  #cancelAdmission: Cancel | undefined;

  /** Without any progress for `patience` milliseconds the attempt is given up. */
  constructor(pod: Pod, clock: Clock, patience: number, events: AttemptEvents) {
    this.pod = pod;
    this.#clock = clock;
    this.#events = events;
    this.#patience = patience;
    this.#progressAt = clock.monotonic();
  }

  start(request: AttemptRequest): void {
    this.#awaitProgress(QUIET_MILLISECONDS);
    const headers = request.fields.concat(
      REQUEST_HEADERS.podUid,
      this.pod.uid,
      REQUEST_HEADERS.timeout,
      String(request.timeoutMilliseconds),
    );
    if (request.concurrencyLimit > 0) headers.push(REQUEST_HEADERS.concurrencyLimit, String(request.concurrencyLimit));
    if (request.body instanceof Readable) {
      headers.push(REQUEST_HEADERS.tellAdmission, '1');
      if (request.streamedLength !== undefined) headers.push('content-length', String(request.streamedLength));
      this.#isStreamed = true;
    }
    const { method, target: path, body } = request;
    this.#channel = request.channel;
    this.#channel.dispatch({ method, path, headers, body }, this);
  }

  progress(): void {
    this.#progressAt = this.#clock.monotonic();
  }

  /** The client can take more. */
  resume(): void {
    this.progress();
    this.#controller?.resume();
  }

  /** Whatever the pod does with the request does not matter any more. */
  abort(reason: string): void {
    this.#end();
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === 'over') return controller.abort(new Error('Aborted before it was sent.'));
    this.#state = 'sent';
    // Not before: a SYN that is lost costs a second, and what the pod then refuses could not be sent again.
    if (this.#isStreamed) this.#cancelAdmission = this.#clock.after(ADMISSION_MILLISECONDS, this.#onAdmission);
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status === 102) this.#onAdmission();
    // 1xx: an answer is still to come.
    if (this.#state !== 'sent' || status < 200) return;
    const refusal = notAdmitted(status, headers);
    // Another pod of ours that got the address says so under its own uid.
    if (refusal !== 'WrongPod' && headers[RESPONSE_HEADERS.podUid] !== this.pod.uid) {
      this.#fail('stranger', 'Stranger');
      controller.abort(new Error('The answer does not carry the uid of the pod.'));
      return;
    }
    if (refusal !== undefined) return this.#fail('not-begun', refusal);
    this.#state = 'answering';
    this.progress();
    this.#events.answered(status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === 'answering') {
      this.progress();
      if (!this.#events.data(chunk)) controller.pause();
    } else {
      // The rest of a refusal is read, so that the connection can be used again.
      this.#refusalBytes += chunk.length;
      if (this.#refusalBytes > MOST_REFUSAL_BYTES) controller.abort(new Error('The refusal is too long.'));
    }
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: IncomingHttpHeaders): void {
    if (this.#state !== 'answering') return;
    this.#end();
    this.#events.finished(trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    switch (this.#state) {
      case 'connecting':
        if (isClientsFault(error)) this.#fail('invalid', undefined);
        else this.#fail('not-begun', 'Unreachable');
        break;
      case 'sent':
        if (isClientsFault(error)) this.#fail('invalid', undefined);
        else this.#fail(error instanceof NotSent ? 'not-begun' : 'died', 'Unreachable');
        break;
      case 'answering':
        this.#end();
        this.#events.broke();
        break;
      case 'over':
        break;
    }
  }

  readonly #onAdmission = (): void => {
    this.#cancelAdmission?.();
    if (this.#state !== 'over') this.#events.admitted();
  };

  #awaitProgress(milliseconds: number): void {
    this.#cancelPatience = this.#clock.after(Math.min(milliseconds, this.#patience), this.#onQuiet);
  }

  readonly #onQuiet = (): void => {
    const idle = this.#clock.monotonic() - this.#progressAt;
    const state = this.#state;
    const isOut = idle >= this.#patience;
    if (isOut) this.abort('Nothing moved for longer than the timeout.');
    else if (idle < QUIET_MILLISECONDS) return this.#awaitProgress(QUIET_MILLISECONDS - idle);
    else if (this.#channel?.isLost() === true) this.abort('The pod cannot be connected to any more.');
    else return this.#awaitProgress(Math.min(QUIET_MILLISECONDS, this.#patience - idle));
    if (state === 'answering') this.#events.broke();
    else if (isOut) this.#events.failed('timeout', this.#isStreamed ? undefined : 'Silent');
    else this.#events.failed(state === 'sent' ? 'died' : 'not-begun', 'Unreachable');
  };

  #fail(how: FailedAttempt | 'invalid', why: RestReason | undefined): void {
    this.#end();
    this.#events.failed(how, why);
  }

  #end(): void {
    this.#state = 'over';
    this.#cancelPatience?.();
    this.#cancelAdmission?.();
  }
}

/**
 * The refusal, if the answer is one: status and header must agree, for a model's own 429 or 503 is an answer like any other. One of gRPC is 200 whatever
 * became of the call, whose own status is in the same head.
 */
function notAdmitted(status: number, headers: IncomingHttpHeaders): NotAdmitted | undefined {
  const reason = headers[RESPONSE_HEADERS.notAdmitted];
  if (!isNotAdmitted(reason)) return undefined;
  const isGrpc = status === 200 && headers['grpc-status'] !== undefined;
  return isGrpc || NOT_ADMITTED[reason] === status ? reason : undefined;
}

function isNotAdmitted(reason: unknown): reason is NotAdmitted {
  return typeof reason === 'string' && Object.hasOwn(NOT_ADMITTED, reason);
}

/** The HTTP client refuses to write what the request asks for; no pod has seen it, and none would. */
function isClientsFault(error: Error): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH';
}
