/** `POST /v2/models/M/infer`: admits, parses, checks, runs and answers one request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { freeBuffer, freeMemory } from '../../common/platform/free-memory.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import { bodyBytes, executionTimeout } from '../admission/decide-admission.ts';
import { Abandoned, Execution } from '../admission/execution.ts';
import type { Gate } from '../admission/gate.ts';
import { TensorMemory } from '../admission/tensor-memory.ts';
import type { Codec } from '../codec/codec.ts';
import type { Model } from '../inference.ts';
import { checkRequest } from '../protocol/check-request.ts';
import { classifyOutputs } from '../protocol/classify.ts';
import { parseRawRequest } from '../protocol/parse-raw-request.ts';
import { HEADER_LENGTH } from '../protocol/parse-request.ts';
import { CLOSE, JSON_TYPE, type Answers } from './answers.ts';
import { compressAnswer } from './compress-answer.ts';
import type { RuntimeMetrics } from './metrics.ts';
import { readBody, type Body } from './read-body.ts';
import type { Handler } from './router.ts';
import { failureReason, runInference } from './run-inference.ts';
import type { FailureReason } from './statistics.ts';

export interface InferenceRouteOptions {
  readonly name: string;
  readonly version: string;
  readonly gate: Gate;
  /** Undefined until it is warm. */
  readonly model: () => Model | undefined;
  readonly metrics: RuntimeMetrics;
  readonly answers: Answers;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds a request may take that brings no timeout of its own. */
  readonly timeout: number;
  /** A run has gone on past twice its timeout. */
  readonly onHung: (timeoutMilliseconds: number) => void;
}

interface AdmittedRequest {
  readonly execution: Execution;
  readonly memory: TensorMemory;
  /** Of its body, in the pod. */
  bytes: number;
  hasBody: boolean;
  /** What the metrics will count it as when it ends without a result. */
  failure: FailureReason | undefined;
}

export function inferenceRoute(options: InferenceRouteOptions): Handler {
  const { gate, metrics, answers, clock, codec } = options;

  /** Takes a place in the pod before the body is read, or refuses. */
  function admit(request: IncomingMessage, response: ServerResponse): AdmittedRequest | undefined {
    const { headers } = request;
    const bytes = bodyBytes(gate, headers);
    const refusal = gate.enter(headers, bytes);
    metrics.admission(refusal ?? 'Admitted');
    if (refusal !== undefined) {
      metrics.failure('REJECTED', 0);
      answers.refusal(response, refusal);
      return undefined;
    }
    const timeout = executionTimeout(gate.uid, headers, options.timeout);
    const execution = new Execution({
      clock,
      timeout,
      onTimeout: () => {
        if (response.headersSent) return;
        const seconds = timeout / 1000;
        if (admitted.hasBody) answers.error(response, 504, `The model took longer than ${seconds} s.`, CLOSE);
        else answers.error(response, 408, `The body did not arrive within ${seconds} s.`, CLOSE);
      },
      onHung: () => {
        options.onHung(timeout);
      },
      onEnd: () => {
        if (admitted.failure !== undefined) metrics.failure(admitted.failure, clock.monotonic() - execution.admittedAt);
        admitted.memory.giveBack();
        gate.leave(headers, admitted.bytes);
      },
    });
    const memory = new TensorMemory(gate);
    const admitted: AdmittedRequest = { execution, memory, bytes, hasBody: false, failure: 'CANCELED' };
    if (headers[REQUEST_HEADERS.tellAdmission] !== undefined) response.writeProcessing();
    if (headers.expect !== undefined) response.writeContinue();
    response.once('close', () => {
      gate.desert();
      execution.close();
    });
    return admitted;
  }

  function readAdmitted(request: IncomingMessage, admitted: AdmittedRequest): Promise<Body> {
    return readBody(request, {
      maxBodyBytes: gate.maxBodyBytes,
      take: (bytes) => {
        // Its place is free already: the client is gone or was told that it took too long.
        if (admitted.execution.abandoned || !gate.take(bytes)) return false;
        admitted.bytes += bytes;
        return true;
      },
    });
  }

  return async (request, response) => {
    const model = options.model();
    const admitted = admit(request, response);
    if (admitted === undefined) return;
    if (model === undefined) throw new Error('A request was admitted before there was a model.');
    const { execution } = admitted;
    const held = <T>(work: T | Promise<T>): T | Promise<T> => (work instanceof Promise ? execution.hold(work) : work);
    let body: Body | undefined;
    try {
      body = await readAdmitted(request, admitted);
      admitted.hasBody = true;
      const parsed =
        request.headers[HEADER_LENGTH] === '0'
          ? parseRawRequest(model.facts.inputs, body.bytes)
          : await held(codec.parse(request.headers, body.bytes, execution));
      checkRequest(parsed, model.facts);
      const result = await runInference(model, parsed, execution, admitted.memory, metrics, body.isOwn);
      const outputs = classifyOutputs(result.outputs, parsed.outputs, model.facts.outputs);
      const written = held(codec.encode(parsed, outputs, execution));
      const { body: plain, jsonLength } = written instanceof Promise ? await written : written;
      // The answer holds copies.
      for (const { data } of result.outputs) freeMemory(data);
      const isJson = jsonLength === undefined;
      const accepted = request.headers['accept-encoding'];
      const compressed = accepted === undefined ? undefined : await compressAnswer(accepted, plain, isJson);
      if (execution.abandoned) throw new Abandoned('The client left before its answer.');
      admitted.failure = undefined;
      metrics.success(result, clock.monotonic() - execution.admittedAt);
      const type = isJson ? JSON_TYPE : [...BINARY_TYPE, HEADER_LENGTH, String(jsonLength)];
      if (compressed === undefined) answers.send(response, 200, type, plain);
      else answers.send(response, 200, [...type, 'content-encoding', compressed.coding], compressed.body);
    } catch (error) {
      // The client was told already that it took too long, or is gone.
      if (execution.abandoned) return;
      admitted.failure = failureReason(error);
      throw error;
    } finally {
      // The run has ended, and nothing of the answer is a view of it.
      if (body?.isOwn === true) freeBuffer(body.bytes.buffer);
    }
  };
}

const BINARY_TYPE: readonly string[] = ['content-type', 'application/octet-stream'];
