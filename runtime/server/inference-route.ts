/** `POST /v2/models/M/infer`: admits, parses, checks, runs and answers one request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import { executionTimeout } from '../admission/decide-admission.ts';
import { Execution } from '../admission/execution.ts';
import type { Gate } from '../admission/gate.ts';
import type { Model } from '../inference.ts';
import { checkRequest } from '../protocol/check-request.ts';
import { responseEncoder } from '../protocol/encode-response.ts';
import { parseRawRequest } from '../protocol/parse-raw-request.ts';
import { HEADER_LENGTH, parseRequest, type ParsedRequest } from '../protocol/parse-request.ts';
import { CLOSE, JSON_TYPE, type Answers } from './answers.ts';
import type { FailureReason, RuntimeMetrics } from './metrics.ts';
import { readBody } from './read-body.ts';
import type { Handler } from './router.ts';
import { failureReason, runInference } from './run-inference.ts';

export interface InferenceRouteOptions {
  readonly name: string;
  readonly version: string;
  readonly gate: Gate;
  /** Undefined until it is warm. */
  readonly model: () => Model | undefined;
  readonly metrics: RuntimeMetrics;
  readonly answers: Answers;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds a request may take that brings no timeout of its own. */
  readonly timeout: number;
  /** A run has gone on past twice its timeout. */
  readonly onHung: (timeoutMilliseconds: number) => void;
}

interface AdmittedRequest {
  readonly execution: Execution;
  /** What the metrics will count it as when it ends without a result. */
  failure: FailureReason | undefined;
}

export function inferenceRoute(options: InferenceRouteOptions): Handler {
  const { gate, metrics, answers, clock } = options;
  const encode = responseEncoder(options.name, options.version);

  /** Takes a place in the pod before the body is read, or refuses. */
  function admit(request: IncomingMessage, response: ServerResponse): AdmittedRequest | undefined {
    const { headers } = request;
    const refusal = gate.enter(headers);
    metrics.admission(refusal ?? 'Admitted');
    if (refusal !== undefined) {
      metrics.failure('REJECTED');
      answers.refusal(response, refusal);
      return undefined;
    }
    const timeout = executionTimeout(gate.uid, headers, options.timeout);
    const execution = new Execution({
      clock,
      timeout,
      onTimeout: () => {
        if (response.headersSent) return;
        answers.error(response, 504, `The model took longer than ${timeout / 1000} s.`, CLOSE);
      },
      onHung: () => {
        options.onHung(timeout);
      },
      onEnd: () => {
        if (admitted.failure !== undefined) metrics.failure(admitted.failure);
        gate.leave(headers);
      },
    });
    const admitted: AdmittedRequest = { execution, failure: 'CANCELED' };
    if (headers[REQUEST_HEADERS.tellAdmission] !== undefined) response.writeProcessing();
    if (headers.expect !== undefined) response.writeContinue();
    response.once('close', () => {
      execution.close();
    });
    return admitted;
  }

  return async (request, response) => {
    const model = options.model();
    const admitted = admit(request, response);
    if (admitted === undefined) return;
    if (model === undefined) throw new Error('A request was admitted before there was a model.');
    const { execution } = admitted;
    try {
      const body = await readBody(request, gate.maxBodyBytes);
      const parsed = parse(request, body, model);
      const result = await runInference(model, parsed, execution);
      const { body: answer, jsonLength } = encode(parsed, result.outputs);
      admitted.failure = undefined;
      metrics.success(result, clock.monotonic() - execution.admittedAt);
      answers.send(response, 200, typeOf(jsonLength), answer);
    } catch (error) {
      admitted.failure = failureReason(error);
      throw error;
    }
  };
}

function typeOf(jsonLength: number | undefined): readonly string[] {
  if (jsonLength === undefined) return JSON_TYPE;
  return ['content-type', 'application/octet-stream', HEADER_LENGTH, String(jsonLength)];
}

function parse({ headers }: IncomingMessage, body: Buffer, { facts }: Model): ParsedRequest {
  const parsed = headers[HEADER_LENGTH] === '0' ? parseRawRequest(facts.inputs, body) : parseRequest(headers, body);
  checkRequest(parsed, facts);
  return parsed;
}
