/** The inference that one message asks for: from its admission, which is done before, to the message that answers it. */
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import type { Clock } from '../../common/platform/clock.ts';
import { Execution } from '../admission/execution.ts';
import type { Gate } from '../admission/gate.ts';
import { TensorMemory } from '../admission/tensor-memory.ts';
import type { Model } from '../inference.ts';
import { checkRequest } from '../protocol/check-request.ts';
import { classifyOutputs } from '../protocol/classify.ts';
import { quote } from '../protocol/protocol-error.ts';
import type { RuntimeMetrics } from '../server/metrics.ts';
import { failureReason, runInference } from '../server/run-inference.ts';
import type { FailureReason } from '../server/statistics.ts';
import { decompress } from './decompress.ts';
import { toParsedRequest } from './infer-request.ts';
import { inferResponse } from './infer-response.ts';
import type { FramedMessage } from './message-reader.ts';
import { ModelInferRequest, type ModelInferResponse } from './messages.ts';
import { CallError } from './call-error.ts';

export interface InferenceServices {
  readonly name: string;
  readonly version: string;
  readonly gate: Gate;
  /** Undefined until it is warm. */
  readonly model: () => Model | undefined;
  readonly metrics: RuntimeMetrics;
  readonly clock: Clock;
  /** A run has gone on past twice its timeout. */
  readonly onHung: (timeoutMilliseconds: number) => void;
}

export interface InferenceLimits {
  /** Of the message, set aside in the pod. */
  readonly bytes: number;
  /** Milliseconds that the execution may take. */
  readonly timeout: number;
  /** Milliseconds after which the client has no use for an answer any more; undefined: it said nothing. */
  readonly clientTimeout: number | undefined;
}

export class Inference {
  readonly #services: InferenceServices;
  readonly #execution: Execution;
  readonly #cancelClientTimeout: () => void;
  readonly #memory: TensorMemory;
  #bytes: number;
  #failure: FailureReason | undefined = 'CANCELED';

  /** `onTimeout`: answer with this. `onEnd`: no run goes on, and `close` was called; so many bytes are free. */
  constructor(
    services: InferenceServices,
    { bytes, timeout, clientTimeout }: InferenceLimits,
    onTimeout: (error: CallError) => void,
    onEnd: (bytes: number) => void,
  ) {
    const { clock, metrics } = services;
    this.#services = services;
    this.#bytes = bytes;
    this.#memory = new TensorMemory(services.gate);
    this.#execution = new Execution({
      clock,
      timeout,
      onTimeout: () => onTimeout(tooLong(`The model took longer than ${timeout / 1000} s.`)),
      onHung: () => services.onHung(timeout),
      onEnd: () => {
        if (this.#failure !== undefined) metrics.failure(this.#failure, clock.monotonic() - this.#execution.admittedAt);
        this.#memory.giveBack();
        onEnd(this.#bytes);
      },
    });
    this.#cancelClientTimeout =
      clientTimeout === undefined || clientTimeout >= timeout
        ? () => undefined
        : clock.after(clientTimeout, () => onTimeout(tooLong("The call's deadline is over.")));
  }

  /** Rejects with what becomes a status, with Abandoned, or with ModelLost. */
  async run(message: FramedMessage, encoding: string | undefined): Promise<Partial<ModelInferResponse>> {
    const { name, version, model: warm, metrics, clock } = this.#services;
    try {
      const model = warm();
      if (model === undefined) throw new Error('A request was admitted before there was a model.');
      const bytes = message.compressed ? await this.#decompress(message.bytes, encoding) : message.bytes;
      const request = ModelInferRequest.decode(bytes);
      checkModel(this.#services, request.model_name, request.model_version);
      const parsed = toParsedRequest(request);
      checkRequest(parsed, model.facts);
      const result = await runInference(model, parsed, this.#execution, this.#memory, metrics);
      const response = inferResponse(
        name,
        version,
        parsed,
        classifyOutputs(result.outputs, parsed.outputs, model.facts.outputs),
      );
      this.#failure = undefined;
      metrics.success(result, clock.monotonic() - this.#execution.admittedAt);
      return response;
    } catch (error) {
      this.#failure = failureReason(error);
      throw error;
    }
  }

  #decompress(compressed: Buffer, encoding: string | undefined): Promise<Buffer> {
    const { gate } = this.#services;
    return decompress(compressed, encoding, gate.maxBodyBytes, (bytes) => {
      // Its place may be free already: the client is gone or was told that it took too long.
      if (this.#execution.abandoned || !gate.take(bytes)) return false;
      this.#bytes += bytes;
      return true;
    });
  }

  /** The client has its answer, or is gone. */
  close(): void {
    this.#cancelClientTimeout();
    this.#execution.close();
  }
}

/** Throws CallError unless a call names this model, or none of its versions or the only one. */
export function checkModel(
  { name, version }: Pick<InferenceServices, 'name' | 'version'>,
  askedName: string,
  askedVersion: string,
): void {
  if (askedName !== name) {
    throw new CallError(GRPC_STATUS.NOT_FOUND, `There is no model ${quote(askedName)} here; ${quote(name)} is served.`);
  }
  if (askedVersion !== '' && askedVersion !== version && askedVersion !== '1') {
    throw new CallError(
      GRPC_STATUS.NOT_FOUND,
      `Model ${quote(name)} has no version ${quote(askedVersion)}; ${quote(version)} is served.`,
    );
  }
}

function tooLong(message: string): CallError {
  return new CallError(GRPC_STATUS.DEADLINE_EXCEEDED, message);
}
