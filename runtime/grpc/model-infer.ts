/** `ModelInfer`: admitted when the length of its message is known, before the message itself is kept. */
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import { executionTimeout } from '../admission/decide-admission.ts';
import { GRPC_STATUS, parseGrpcTimeout } from '../../common/wire/grpc.ts';
import type { GrpcCall } from './grpc-call.ts';
import { Inference, type InferenceServices } from './inference.ts';
import { expectedBytes } from './infer-response.ts';
import { MessageReader, type FramedMessage } from './message-reader.ts';
import { ModelInferResponse } from './messages.ts';
import { CallError } from './call-error.ts';
import { encodingOf, type Method } from './unary-method.ts';

export interface InferOptions extends InferenceServices {
  /** Milliseconds a request may take that brings no timeout of its own. */
  readonly timeout: number;
}

export function modelInfer(options: InferOptions): Method {
  return (call, fail) => {
    new ModelInferCall(options, call, fail).start();
  };
}

class ModelInferCall {
  readonly #options: InferOptions;
  readonly #call: GrpcCall;
  readonly #fail: (error: unknown) => void;
  readonly #reader: MessageReader;
  #inference: Inference | undefined;
  #message: FramedMessage | undefined;

  constructor(options: InferOptions, call: GrpcCall, fail: (error: unknown) => void) {
    this.#options = options;
    this.#call = call;
    this.#fail = fail;
    this.#reader = new MessageReader(options.gate.maxBodyBytes, {
      begun: (length) => this.#admit(length),
      complete: (message) => {
        this.#message = message;
        return true;
      },
    });
  }

  start(): void {
    const { stream } = this.#call;
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', () => {
      if (this.#inference === undefined) return;
      this.#options.gate.desert();
      this.#inference.close();
    });
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#call.hasEnded) return;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#fail(error);
    }
  };

  readonly #onEnd = (): void => {
    if (this.#call.hasEnded) return;
    const [inference, message] = [this.#inference, this.#message];
    if (inference === undefined || message === undefined) {
      this.#fail(new CallError(GRPC_STATUS.INVALID_ARGUMENT, 'The call ended before its message was whole.'));
      return;
    }
    inference
      .run(message, encodingOf(this.#call.headers))
      .then((response) => {
        this.#call.send(ModelInferResponse, response, expectedBytes(response));
        this.#call.finish();
      })
      .catch(this.#fail);
  };

  #admit(bytes: number): void {
    if (this.#inference !== undefined) {
      throw new CallError(GRPC_STATUS.UNIMPLEMENTED, 'ModelInfer takes one message; ModelStreamInfer takes more.');
    }
    const { gate, metrics } = this.#options;
    const { headers } = this.#call;
    const refusal = gate.enter(headers, bytes);
    metrics.admission(refusal ?? 'Admitted');
    if (refusal !== undefined) {
      metrics.failure('REJECTED', 0);
      this.#call.refuse(refusal);
      return;
    }
    const timeout = executionTimeout(gate.uid, headers, this.#options.timeout);
    const clientTimeout = parseGrpcTimeout(headers['grpc-timeout']);
    this.#inference = new Inference(this.#options, { bytes, timeout, clientTimeout }, this.#fail, (held) => {
      gate.leave(headers, held);
    });
    if (headers[REQUEST_HEADERS.tellAdmission] !== undefined) this.#call.tellAdmission();
  }
}
