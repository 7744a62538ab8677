/**
 * One client's request from its arrival to the last byte of its answer: the body is collected, a pod found or waited for, and attempts made until
 * one is answered or no other is allowed. The caller's close is its only end, whoever brings it about.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { Cancel } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import { formatGrpcTimeout } from '../../common/wire/grpc.ts';
import type { GatewayMetrics } from '../metrics.ts';
import type { Outcome } from '../metrics/revision-tally.ts';
import type { RestReason } from '../revision/pod-rest.ts';
import type { Revision } from '../revision/revision.ts';
import type { Slot } from '../revision/slot.ts';
import type { Match } from '../routing/route-table.ts';
import { Attempt, type AttemptEvents } from './attempt.ts';
import type { Caller } from './caller.ts';
import { hasFirstMessage } from './first-message.ts';
import { HELD_BYTES, RequestBody, type BodyEvents } from './request-body.ts';
import type { RequestHead } from './request-head.ts';
import { responseFields } from './response-head.ts';
import { decideRetry, type FailedAttempt, type Unanswered } from './retry-decision.ts';
import { trailerFields } from './trailer-fields.ts';
import { Turn, type TurnEvents, type TurnServices } from './turn.ts';

/** For a small body to come in. It holds memory while it does, so a client that sends it byte by byte is not waited for. */
const BODY_MILLISECONDS = 60_000;

/** For the first bytes of a call of gRPC, which usually come with its head. */
const SILENCE_MILLISECONDS = 1_000;

/**
 * For a client to take the last of its answer, which the gateway's own buffer holds: a few times 64 KiB. Its request counts as demand until then, so
 * one that stops reading would otherwise keep a pod alive for ever.
 */
const TAKE_MILLISECONDS = 60_000;

const NO_TRAILERS: IncomingHttpHeaders = {};

const OVERSPENT =
  'The pod broke while it had the request, which was not sent to another one: pods break under more than a fifth of the requests.';

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
  readonly #caller: Caller;
  readonly #head: RequestHead;
  readonly #body: RequestBody;
  readonly #turn: Turn;
  readonly #arrivedAt: number;
  #slot: Slot | undefined;
  #attempt: Attempt | undefined;
  #sentAt = 0;
  #cancelBodyTimeout: Cancel | undefined;
  #cancelTakeTimeout: Cancel | undefined;
  #isLate = false;
  #unanswered: Unanswered | undefined;

  constructor(services: ExchangeServices, caller: Caller, head: RequestHead, match: Match, revision: Revision) {
    this.#services = services;
    this.#caller = caller;
    this.#head = head;
    // A call of gRPC may be a conversation: it begins with its first message, goes on for as long as it likes, and the pod bounds each message.
    this.#body = caller.isGrpc
      ? new RequestBody(caller.source, head.contentLength, Infinity, services.holdings, this, hasFirstMessage)
      : new RequestBody(caller.source, head.contentLength, services.maxBodyBytes, services.holdings, this);
    this.#turn = new Turn(services, match, revision, this);
    this.#arrivedAt = services.clock.monotonic();
  }

  /** `expectsContinue`: the client sends its body only when it is told that there is a chance. */
  start(expectsContinue: boolean): void {
    const { contentLength: length = 0 } = this.#head;
    this.#turn.revision.arrive(this.#arrivedAt);
    this.#turn.revision.retries.earn();
    this.#caller.watch(this.#onClose);
    if (length > this.#services.maxBodyBytes) return this.tooLarge();
    const denial = this.#turn.foresee(Math.min(length, HELD_BYTES));
    if (denial !== undefined) return this.denied(denial.code, denial.message);
    if (!this.#hasBody) return this.#turn.take(0);
    if (!this.#body.reserve()) return this.noRoom();
    if (expectsContinue) this.#caller.askForBody();
    this.#cancelBodyTimeout = this.#caller.isGrpc
      ? this.#services.clock.after(SILENCE_MILLISECONDS, this.#onSilence)
      : this.#services.clock.after(BODY_MILLISECONDS, this.#onBodyTimeout);
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

  noRoom(): void {
    const { maxHeldBytes } = this.#services.holdings.limits;
    const message = `This gateway holds ${maxHeldBytes} bytes of bodies, of all functions together (maxHeldBytes); send the request again in a while.`;
    this.denied('gateway-full', message);
  }

  /**
   * A pod takes timeoutSeconds for a body, and as long to answer it. To one that says nothing a client could otherwise send byte after byte for ever, and keep
   * its place. A call of gRPC may be a conversation of any length.
   */
  progress(): void {
    const { clock } = this.#services;
    const { timeoutSeconds } = this.#turn.revision.settings;
    if (!this.#caller.isGrpc && clock.monotonic() - this.#sentAt > timeoutSeconds * 1_000) return;
    this.#attempt?.progress();
  }

  granted(slot: Slot): void {
    const { pod } = slot;
    const { clock, timeoutMarginMilliseconds } = this.#services;
    const { name, settings } = this.#turn.revision;
    const timeout = settings.timeoutSeconds * 1_000;
    const { isGrpc } = this.#caller;
    const channel = isGrpc ? pod.connection.grpc : pod.connection.http;
    if (channel === undefined) {
      slot.release();
      return this.denied('not-implemented', `The pods of ${name} do not speak gRPC yet; they are of an older version.`);
    }
    this.#slot = slot;
    this.#attempt = new Attempt(pod, clock, timeout + timeoutMarginMilliseconds, this);
    this.#sentAt = clock.monotonic();
    this.#attempt.start({
      channel,
      method: this.#caller.method,
      target: this.#turn.target,
      fields: this.#fields(),
      body: this.#hasBody ? this.#body.send() : null,
      streamedLength: this.#head.contentLength,
      concurrencyLimit: settings.concurrencyLimit,
      timeoutMilliseconds: timeout,
    });
  }

  denied(code: GatewayErrorCode, message: string): void {
    this.#services.metrics.countError(code, this.#turn.revision);
    this.#abandon(message);
    this.#body.discard();
    if (this.#caller.hasBegun) return this.#caller.destroy();
    if (this.#services.isDraining()) this.#caller.letGo();
    const moreComes = this.#head.chunked || (this.#head.contentLength ?? 0) > HELD_BYTES || this.#isLate;
    this.#caller.refuse(code, message, moreComes, this.#turn.retryAfter(code));
    this.#awaitTaking();
  }

  failed(how: FailedAttempt | 'invalid' | 'timeout', why: RestReason | undefined): void {
    const { revision } = this.#turn;
    if (why !== undefined) this.#slot?.failed(why);
    this.#release();
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
    this.#slot?.answered(status);
    this.#body.forget();
    const phases = {
      queue: this.#turn.waited,
      pod: this.#services.clock.monotonic() - this.#sentAt,
      start: this.#turn.isCold ? (this.#slot?.pod.announcement?.phases ?? {}) : undefined,
    };
    if (this.#services.isDraining()) this.#caller.letGo();
    try {
      const fields = responseFields(headers, this.#turn.revision.name, phases);
      this.#caller.begin(status, fields, this.#head.takesTrailers ? headers.trailer : undefined);
    } catch {
      this.denied('pod-failed', 'The pod answered with a status or a header that is not valid.');
    }
  }

  data(chunk: Buffer): boolean {
    return this.#caller.write(chunk, this.#onDrain);
  }

  finished(trailers: IncomingHttpHeaders): void {
    this.#release();
    this.#caller.end(this.#passedOn(trailers));
    this.#awaitTaking();
    // The pod did not want the rest.
    if (!this.#caller.isComplete) this.#body.discard();
    this.#caller.dropRest();
  }

  broke(): void {
    this.#release();
    // The head is out, so nobody else may answer.
    this.#caller.breakOff('The pod broke in the middle of its answer.');
    this.#awaitTaking();
  }

  #recover(how: FailedAttempt, revision: Revision): void {
    this.#body.takeBack();
    const decision = decideRetry(how, this.#body.isWhole, this.#unanswered);
    if (how !== 'not-begun') this.#unanswered = how;
    switch (decision) {
      case 'elsewhere':
        if (how !== 'not-begun' && !revision.retries.spend()) return this.denied('pod-failed', OVERSPENT);
        revision.tally.retries[how] += 1;
        return this.#turn.takeAgain(this.#body.heldBytes);
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
    if (this.#caller.isTaken) return;
    this.#cancelTakeTimeout = this.#services.clock.after(TAKE_MILLISECONDS, this.#onTakeTimeout);
  }

  readonly #onTakeTimeout = (): void => {
    if (this.#caller.isQueued) this.#awaitTaking();
    else this.#caller.destroy();
  };

  /** For the pod; a call's deadline counts from its arrival here. */
  #fields(): readonly string[] {
    const { forwarded, grpcTimeout } = this.#head;
    if (!this.#caller.isGrpc) return this.#head.takesTrailers ? forwarded.concat('te', 'trailers') : forwarded;
    if (grpcTimeout === undefined) return forwarded;
    return forwarded.concat('grpc-timeout', formatGrpcTimeout(grpcTimeout - (this.#sentAt - this.#arrivedAt)));
  }

  /** Those of gRPC are its own affair, and every client of it takes them. */
  #passedOn(trailers: IncomingHttpHeaders): IncomingHttpHeaders {
    if (this.#caller.isGrpc) return trailers;
    return this.#head.takesTrailers ? trailerFields(trailers) : NO_TRAILERS;
  }

  get #hasBody(): boolean {
    return this.#head.chunked || (this.#head.contentLength ?? 0) > 0;
  }

  /** A client that opens a call and says nothing waits for an answer, or for its own time to speak. */
  readonly #onSilence = (): void => {
    if (this.#body.heldBytes === 0) return this.#body.settle();
    this.#cancelBodyTimeout = this.#services.clock.after(BODY_MILLISECONDS - SILENCE_MILLISECONDS, this.#onBodyTimeout);
  };

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
    const finished = this.#caller.hasFinished;
    this.#cancelTakeTimeout?.();
    this.#abandon('The client left.');
    this.#body.discard();
    revision.meter.leave(now);
    const { tally } = revision;
    tally.requests[finished ? outcomeOf(this.#caller.status) : 'aborted'] += 1;
    tally.duration.observe((now - this.#arrivedAt) / 1_000);
    if (waited > 0) tally.queueWait.observe(waited / 1_000);
    if (isCold && finished && this.#sentAt > 0) tally.coldStart.observe(waited / 1_000);
  };

  /** Lets go of pod and place. */
  #abandon(reason: string): void {
    this.#cancelBodyTimeout?.();
    this.#turn.leave();
    this.#attempt?.abort(reason);
    this.#release();
  }

  #release(): void {
    const slot = this.#slot;
    this.#attempt = undefined;
    this.#slot = undefined;
    slot?.release();
  }
}

function outcomeOf(status: number): Outcome {
  if (status >= 500) return '5xx';
  if (status >= 400) return '4xx';
  return status >= 300 ? '3xx' : '2xx';
}
