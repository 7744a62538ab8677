/**
 * One client's request from its arrival to the last byte of its answer: the body is collected, a pod found or waited for, and attempts made until
 * one is answered or no other is allowed. The end of the client's response is its only end, whoever brings it about.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Cancel } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { GatewayMetrics, Outcome } from '../metrics.ts';
import type { Pod } from '../revision/pod.ts';
import type { RestReason } from '../revision/pod-rest.ts';
import type { Revision } from '../revision/revision.ts';
import type { Match } from '../routing/route-table.ts';
import { Attempt, type AttemptEvents } from './attempt.ts';
import { answerError, discardRest, refuseBody } from './error-answer.ts';
import { HELD_BYTES, RequestBody, type BodyEvents } from './request-body.ts';
import type { RequestHead } from './request-head.ts';
import { responseFields } from './response-head.ts';
import { decideRetry, type FailedAttempt, type Unanswered } from './retry-decision.ts';
import { Turn, type TurnEvents, type TurnServices } from './turn.ts';

/** For a small body to come in. It holds memory while it does, so a client that sends it byte by byte is not waited for. */
const BODY_MILLISECONDS = 60_000;

/**
 * For a client to take the last of its answer, which the gateway's own buffer holds: a few times 64 KiB. Its request counts as demand until then, so
 * one that stops reading would otherwise keep a pod alive for ever.
 */
const TAKE_MILLISECONDS = 60_000;

export interface ExchangeServices extends TurnServices {
  readonly metrics: GatewayMetrics;
  /** Bytes. */
  readonly maxBodyBytes: number;
  /** True while clients should move their connections to another gateway. */
  readonly isDraining: () => boolean;
  /** The pod itself answers when timeoutSeconds are over; this much later the gateway stops believing that it will. */
  readonly timeoutMarginMilliseconds: number;
}

export class Exchange implements TurnEvents, AttemptEvents, BodyEvents {
  readonly #services: ExchangeServices;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #head: RequestHead;
  readonly #body: RequestBody;
  readonly #turn: Turn;
  readonly #arrivedAt: number;
  #attempt: Attempt | undefined;
  #sentAt = 0;
  #cancelBodyTimeout: Cancel | undefined;
  #cancelTakeTimeout: Cancel | undefined;
  #isLate = false;
  #unanswered: Unanswered | undefined;

  constructor(
    services: ExchangeServices,
    request: IncomingMessage,
    response: ServerResponse,
    head: RequestHead,
    match: Match,
    revision: Revision,
  ) {
    this.#services = services;
    this.#request = request;
    this.#response = response;
    this.#head = head;
    this.#body = new RequestBody(request, head.contentLength, services.maxBodyBytes, this);
    this.#turn = new Turn(services, match, revision, this);
    this.#arrivedAt = services.clock.monotonic();
  }

  /** `expectsContinue`: the client sends its body only when it is told that there is a chance. */
  start(expectsContinue: boolean): void {
    const { contentLength: length = 0 } = this.#head;
    this.#turn.revision.meter.arrive(this.#arrivedAt);
    this.#response.once('close', this.#onClose);
    if (length > this.#services.maxBodyBytes) return this.tooLarge();
    const denial = this.#turn.foresee(Math.min(length, HELD_BYTES));
    if (denial !== undefined) return this.denied(denial.code, denial.message);
    if (!this.#hasBody) return this.#turn.take(0);
    if (expectsContinue) this.#response.writeContinue();
    this.#cancelBodyTimeout = this.#services.clock.after(BODY_MILLISECONDS, this.#onBodyTimeout);
    this.#body.collect();
  }

  collected(): void {
    this.#cancelBodyTimeout?.();
    this.#turn.take(this.#body.heldBytes);
  }

  held(): void {
    if (this.#hasBody) this.#body.readOn();
  }

  kept(bytes: number): boolean {
    return this.#turn.grow(bytes);
  }

  tooLarge(): void {
    const message = `The body is larger than ${this.#services.maxBodyBytes} bytes, the most that this gateway takes.`;
    this.denied('body-too-large', message);
  }

  progress(): void {
    this.#attempt?.progress();
  }

  granted(pod: Pod): void {
    const { clock, timeoutMarginMilliseconds } = this.#services;
    const { name, settings } = this.#turn.revision;
    const timeout = settings.timeoutSeconds * 1_000;
    this.#attempt = new Attempt(pod, clock, timeout + timeoutMarginMilliseconds, this);
    this.#sentAt = clock.monotonic();
    this.#attempt.start({
      method: this.#request.method ?? 'GET',
      target: this.#turn.target,
      fields: this.#head.forwarded,
      body: this.#hasBody ? this.#body.send() : null,
      streamedLength: this.#head.contentLength,
      revision: name,
      concurrencyLimit: settings.concurrencyLimit,
      timeoutMilliseconds: timeout,
    });
  }

  denied(code: GatewayErrorCode, message: string): void {
    this.#services.metrics.countError(code, this.#turn.revision);
    this.#abandon(message);
    this.#body.discard();
    if (this.#response.headersSent) return void this.#response.destroy();
    if (this.#services.isDraining()) this.#response.shouldKeepAlive = false;
    const moreComes = this.#head.chunked || (this.#head.contentLength ?? 0) > HELD_BYTES || this.#isLate;
    if (moreComes && !this.#request.complete) {
      refuseBody(this.#request, this.#response, this.#services.clock, code, message);
    } else {
      answerError(this.#response, code, message);
    }
    this.#awaitTaking();
  }

  failed(how: FailedAttempt | 'invalid' | 'timeout', why: RestReason | undefined): void {
    const { revision } = this.#turn;
    const pod = this.#attempt?.pod;
    this.#attempt = undefined;
    if (pod === undefined) return;
    if (why !== undefined) pod.rest(why, this.#services.clock.monotonic());
    revision.release(pod);
    if (how === 'invalid') {
      this.denied('bad-request', 'The path, a header or the length of the request is not valid.');
    } else if (how === 'timeout') {
      const { functionName, timeoutSeconds } = revision.settings;
      this.denied('execution-timeout', `${functionName} did not answer within ${timeoutSeconds} s (timeoutSeconds).`);
    } else {
      this.#recover(how, revision);
    }
  }

  admitted(): void {
    this.#body.goOn();
  }

  answered(status: number, headers: IncomingHttpHeaders): void {
    const pod = this.#attempt?.pod;
    pod?.renew();
    const phases = {
      queue: this.#turn.waited,
      pod: this.#services.clock.monotonic() - this.#sentAt,
      start: this.#turn.isCold ? (pod?.announcement?.phases ?? {}) : undefined,
    };
    if (this.#services.isDraining()) this.#response.shouldKeepAlive = false;
    this.#response.writeHead(status, responseFields(headers, this.#turn.revision.name, phases));
  }

  data(chunk: Buffer): boolean {
    if (this.#response.write(chunk)) return true;
    this.#response.once('drain', this.#onDrain);
    return false;
  }

  finished(): void {
    this.#release();
    this.#response.end();
    this.#awaitTaking();
    if (this.#request.complete) return;
    // The pod did not want the rest. It stands before the connection's next request, so it is read, or the connection ends.
    this.#body.discard();
    discardRest(this.#request, this.#services.clock, () => {
      if (!this.#request.complete) this.#request.socket.destroy();
    });
  }

  broke(): void {
    this.#release();
    // The head is out, so the only honest sign is an answer that does not end as it should.
    this.#response.destroy();
  }

  #recover(how: FailedAttempt, revision: Revision): void {
    this.#body.takeBack();
    const decision = decideRetry(how, this.#body.isWhole, this.#unanswered);
    if (how !== 'not-begun') this.#unanswered = how;
    switch (decision) {
      case 'elsewhere':
        revision.metrics.retries[how].inc();
        return this.#turn.takeAgain();
      case 'poison':
        return this.denied(decision, 'Two pods died with this request in them; it is not sent to a third.');
      case 'no-pod-in-time':
        return this.denied(
          decision,
          'The pod took no more requests, and the body was too large to be held for another pod.',
        );
      default:
        return this.denied(
          decision,
          'The pod broke while it had the request, and the request could not be sent again.',
        );
    }
  }

  #awaitTaking(): void {
    if (this.#response.writableLength === 0) return;
    this.#cancelTakeTimeout = this.#services.clock.after(TAKE_MILLISECONDS, this.#onTakeTimeout);
  }

  readonly #onTakeTimeout = (): void => {
    // Without a socket it waits behind an earlier answer on its connection, which has a limit of its own.
    if (this.#response.socket === null) this.#awaitTaking();
    else this.#response.destroy();
  };

  get #hasBody(): boolean {
    return this.#head.chunked || (this.#head.contentLength ?? 0) > 0;
  }

  readonly #onBodyTimeout = (): void => {
    this.#isLate = true;
    this.denied('bad-request', `The body did not come in within ${BODY_MILLISECONDS / 1_000} s.`);
  };

  readonly #onDrain = (): void => {
    this.#attempt?.resume();
  };

  readonly #onClose = (): void => {
    const { clock } = this.#services;
    const now = clock.monotonic();
    const { revision, waited, isCold } = this.#turn;
    const finished = this.#response.writableFinished;
    this.#cancelTakeTimeout?.();
    this.#abandon('The client left.');
    this.#body.discard();
    revision.meter.leave(now);
    revision.metrics.requests[finished ? outcomeOf(this.#response.statusCode) : 'aborted'].inc();
    revision.metrics.duration.observe((now - this.#arrivedAt) / 1_000);
    if (waited > 0) revision.metrics.queueWait.observe(waited / 1_000);
    if (isCold && finished && this.#sentAt > 0) revision.metrics.coldStart.observe(waited / 1_000);
  };

  /** Lets go of pod and place. */
  #abandon(reason: string): void {
    this.#cancelBodyTimeout?.();
    this.#turn.leave();
    this.#attempt?.abort(reason);
    this.#release();
  }

  #release(): void {
    const pod = this.#attempt?.pod;
    this.#attempt = undefined;
    if (pod !== undefined) this.#turn.revision.release(pod);
  }
}

function outcomeOf(status: number): Outcome {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}
