/**
 * `ModelStreamInfer`: any number of inferences on one stream, answered in their order. The stream is one request to the pod, for as long as it is open;
 * a bad message is answered in its place and does not end it.
 */
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import type { Cancel } from '../../common/platform/clock.ts';
import { concurrencyLimit, executionTimeout } from '../admission/decide-admission.ts';
import { Abandoned } from '../admission/execution.ts';
import { Refused } from '../admission/refused.ts';
import { SENTENCES } from '../server/answers.ts';
import { ModelLost } from '../server/model-lost.ts';
import { GRPC_STATUS, parseGrpcTimeout } from '../../common/wire/grpc.ts';
import type { GrpcCall } from './grpc-call.ts';
import { expectedBytes } from './infer-response.ts';
import { Inference } from './inference.ts';
import { MessageReader, type FramedMessage } from './message-reader.ts';
import { ModelStreamInferResponse } from './messages.ts';
import type { InferOptions } from './model-infer.ts';
import { callError, CallError } from './call-error.ts';
import { encodingOf, type Method } from './unary-method.ts';

/** Messages of one stream in the pod at once: enough to fill a batch. */
const MOST_AT_ONCE = 16;

type Answer = Partial<ModelStreamInferResponse>;

/** Those that are open, so that the pod can end. */
export class InferenceStreams {
  readonly #open = new Set<ModelStreamInferCall>();
  #isEnding = false;

  method(options: InferOptions): Method {
    return (call, fail) => {
      const stream = new ModelStreamInferCall(options, call, fail);
      this.#open.add(stream);
      call.stream.on('close', () => this.#open.delete(stream));
      stream.start();
      if (this.#isEnding) stream.end();
    };
  }

  /** Lets each answer what it has, and takes no more. */
  end(): void {
    this.#isEnding = true;
    for (const stream of this.#open) stream.end();
  }
}

class ModelStreamInferCall {
  readonly #options: InferOptions;
  readonly #call: GrpcCall;
  readonly #fail: (error: unknown) => void;
  readonly #reader: MessageReader;
  readonly #timeout: number;
  readonly #mostAtOnce: number;
  readonly #inferences = new Set<Inference>();
  /** In the order of their messages. */
  readonly #answers: Promise<Answer>[] = [];
  /** Of the message that is coming in: bytes that were set aside for it; undefined if there is no room, or none is coming in. */
  #room: number | undefined;
  /** What came in with the last message that there is a place for. */
  #rest: Buffer | undefined;
  #isAnswering = false;
  #hasRequestEnded = false;
  #isEnding = false;
  #isClosed = false;
  #hasLeft = false;
  #cancelIdle: Cancel | undefined;
  #cancelDeadline: Cancel | undefined;

  constructor(options: InferOptions, call: GrpcCall, fail: (error: unknown) => void) {
    const { gate } = options;
    this.#options = options;
    this.#call = call;
    this.#fail = fail;
    this.#timeout = executionTimeout(gate.uid, call.headers, options.timeout);
    // A stream is one request, so a limit on requests that run at once allows it one.
    this.#mostAtOnce = concurrencyLimit(gate.uid, call.headers) === undefined ? MOST_AT_ONCE : 1;
    this.#reader = new MessageReader(gate.maxBodyBytes, {
      begun: (length) => {
        this.#room = gate.take(length) ? length : undefined;
      },
      complete: (message) => {
        this.#begin(message);
        return this.#answers.length < this.#mostAtOnce;
      },
    });
  }

  start(): void {
    const { gate, metrics, clock } = this.#options;
    const { stream, headers } = this.#call;
    const refusal = gate.enter(headers, 0);
    metrics.admission(refusal ?? 'Admitted');
    if (refusal !== undefined) {
      metrics.failure('REJECTED', 0);
      this.#hasLeft = true;
      return this.#call.refuse(refusal);
    }
    const clientTimeout = parseGrpcTimeout(headers['grpc-timeout']);
    if (clientTimeout !== undefined) {
      this.#cancelDeadline = clock.after(clientTimeout, () => {
        this.#fail(new CallError(GRPC_STATUS.DEADLINE_EXCEEDED, "The call's deadline is over."));
      });
    }
    if (headers[REQUEST_HEADERS.tellAdmission] !== undefined) this.#call.tellAdmission();
    stream.on('data', this.#onData);
    stream.on('end', () => {
      this.#hasRequestEnded = true;
      this.#settle();
    });
    stream.on('close', this.#onClose);
    this.#settle();
  }

  end(): void {
    this.#isEnding = true;
    this.#settle();
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#call.hasEnded || this.#isEnding) return;
    try {
      this.#rest = this.#reader.push(chunk);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #onClose = (): void => {
    this.#isClosed = true;
    this.#cancelIdle?.();
    this.#cancelDeadline?.();
    this.#options.gate.desert();
    for (const inference of this.#inferences) inference.close();
    if (this.#room !== undefined) this.#options.gate.give(this.#room);
    this.#leaveIfDone();
  };

  #begin(message: FramedMessage): void {
    const { gate, metrics } = this.#options;
    this.#cancelIdle?.();
    const bytes = this.#room;
    this.#room = undefined;
    if (bytes === undefined) {
      metrics.failure('REJECTED', 0);
      this.#queue(Promise.resolve({ error_message: SENTENCES.LimitReached }));
      return;
    }
    const { promise: timedOut, reject } = Promise.withResolvers<never>();
    const limits = { bytes, timeout: this.#timeout, clientTimeout: undefined };
    const inference = new Inference(this.#options, limits, reject, (held) => {
      this.#inferences.delete(inference);
      gate.give(held);
      this.#leaveIfDone();
    });
    this.#inferences.add(inference);
    const run = inference.run(message, encodingOf(this.#call.headers));
    this.#queue(
      Promise.race([run, timedOut])
        .then(
          (response) => ({ infer_response: response }),
          (error: unknown) => ({ error_message: this.#sentence(error) }),
        )
        .finally(() => inference.close()),
    );
  }

  #sentence(error: unknown): string {
    if (error instanceof ModelLost) this.#fail(error);
    if (error instanceof Abandoned || error instanceof ModelLost) return error.message;
    if (error instanceof Refused) return error.sentence ?? SENTENCES[error.reason];
    const told = callError(error);
    if (told !== undefined) return told.message;
    this.#fail(error);
    return 'The runtime failed to answer.';
  }

  #queue(answer: Promise<Answer>): void {
    this.#answers.push(answer);
    if (this.#answers.length >= this.#mostAtOnce) this.#call.stream.pause();
    if (!this.#isAnswering) void this.#answerAll();
  }

  /** Never rejects: answers do not. */
  async #answerAll(): Promise<void> {
    this.#isAnswering = true;
    while (this.#answers.length > 0 && !this.#isClosed) {
      const answer = (await this.#answers[0]) ?? {};
      void this.#answers.shift();
      const bytes = answer.infer_response === undefined ? 128 : expectedBytes(answer.infer_response) + 16;
      if (!this.#call.send(ModelStreamInferResponse, answer, bytes)) await this.#call.drained();
      if (this.#answers.length < this.#mostAtOnce) this.#readOn();
    }
    this.#isAnswering = false;
    this.#settle();
  }

  /** There is a place for another message: first for what is here already. */
  #readOn(): void {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#onData(rest);
    if (this.#answers.length < this.#mostAtOnce) this.#call.stream.resume();
  }

  /** With nothing to answer the stream ends, if it is to, or begins to be idle. */
  #settle(): void {
    if (this.#isAnswering || this.#answers.length > 0 || this.#isClosed || this.#call.hasEnded) return;
    if (this.#isEnding) {
      this.#fail(new CallError(GRPC_STATUS.UNAVAILABLE, 'This pod is ending; open the stream again.'));
    } else if (this.#hasRequestEnded) {
      if (this.#reader.isBetween) this.#call.finish();
      else this.#fail(new CallError(GRPC_STATUS.INVALID_ARGUMENT, 'The stream ended in the middle of a message.'));
    } else {
      const seconds = this.#timeout / 1000;
      this.#cancelIdle?.();
      this.#cancelIdle = this.#options.clock.after(this.#timeout, () => {
        this.#fail(
          new CallError(GRPC_STATUS.UNAVAILABLE, `The stream was idle for ${seconds} s; open another when needed.`),
        );
      });
    }
  }

  #leaveIfDone(): void {
    if (!this.#isClosed || this.#inferences.size > 0 || this.#hasLeft) return;
    this.#hasLeft = true;
    this.#options.gate.leave(this.#call.headers, 0);
  }
}
