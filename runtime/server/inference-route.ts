/** `POST /v2/models/M/infer`: admits, parses, checks, runs and answers one request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../common/platform/clock.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { REQUEST_HEADERS } from '../../common/wire/headers.ts';
import { executionTimeout } from '../admission/decide-admission.ts';
import { Abandoned, Execution } from '../admission/execution.ts';
import type { Gate } from '../admission/gate.ts';
import { InferenceError, type InferenceResult, type Model } from '../inference.ts';
import { checkRequest } from '../protocol/check-request.ts';
import { responseEncoder } from '../protocol/encode-response.ts';
import { parseRawRequest } from '../protocol/parse-raw-request.ts';
import { HEADER_LENGTH, parseRequest, type ParsedRequest } from '../protocol/parse-request.ts';
import { closeWhenDraining, sendError, sendRefusal } from './answers.ts';
import type { FailureReason, RuntimeMetrics } from './metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** From admission on; undefined on every other route. */
    admitted: AdmittedRequest | undefined;
  }
}

export interface AdmittedRequest {
  readonly execution: Execution;
  /** What the metrics will count it as when it ends without a result. */
  failure: FailureReason | undefined;
}

export interface InferenceRouteOptions {
  readonly name: string;
  readonly version: string;
  readonly gate: Gate;
  /** Undefined until it is warm. */
  readonly model: () => Model | undefined;
  readonly metrics: RuntimeMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds a request may take that brings no timeout of its own. */
  readonly timeout: number;
  /** A run has gone on past twice its timeout. */
  readonly onHung: (timeoutMilliseconds: number) => void;
}

export interface InferenceRoute {
  /** Takes a place in the pod before the body is read, or refuses. */
  readonly admit: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;
  readonly infer: (request: FastifyRequest, reply: FastifyReply) => void;
}

export function inferenceRoute(options: InferenceRouteOptions): InferenceRoute {
  const { gate, metrics, clock, logger } = options;
  const encode = responseEncoder(options.name, options.version);

  function admit(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const refusal = gate.enter(request.headers);
    metrics.admission(refusal ?? 'Admitted');
    if (refusal !== undefined) {
      metrics.failure('REJECTED');
      sendRefusal(reply, refusal, gate.phase);
      return;
    }
    const timeout = executionTimeout(gate.uid, request.headers, options.timeout);
    const execution = new Execution({
      clock,
      timeout,
      onTimeout: () => {
        if (reply.sent) return;
        // The upload may still be coming; with the connection it ends too.
        reply.header('connection', 'close');
        sendError(reply, 504, `The model took longer than ${timeout / 1000} s.`);
      },
      onHung: () => {
        options.onHung(timeout);
      },
      onEnd: () => {
        if (admitted.failure !== undefined) metrics.failure(admitted.failure);
        gate.leave(request.headers);
      },
    });
    const admitted: AdmittedRequest = { execution, failure: 'CANCELED' };
    request.admitted = admitted;
    if (request.headers[REQUEST_HEADERS.tellAdmission] !== undefined) reply.raw.writeProcessing();
    reply.raw.once('close', () => {
      execution.close();
    });
    done();
  }

  function infer(request: FastifyRequest, reply: FastifyReply): void {
    answer(request, reply).catch((error: unknown) => {
      if (error instanceof Abandoned) return;
      if (error instanceof ModelLost) {
        // No answer at all: this says to a gateway that the pod broke under the request, so that it tries another one.
        logger.error({ err: error.cause }, 'Lost the model during a request');
        request.raw.socket.destroy();
      } else {
        reply.send(error);
      }
    });
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const model = options.model();
    const { admitted } = request;
    if (model === undefined || admitted === undefined) throw new Error('A request came to the model unadmitted.');
    admitted.failure = 'OTHER';
    const parsed = parse(request, model);
    admitted.failure = 'CANCELED';
    const result = await run(model, parsed, admitted);
    const { body, jsonLength } = encode(parsed, result.outputs);
    admitted.failure = undefined;
    metrics.success(result, clock.monotonic() - admitted.execution.admittedAt);
    closeWhenDraining(reply, gate.phase);
    if (jsonLength === undefined) reply.header('content-type', 'application/json; charset=utf-8');
    else reply.header('content-type', 'application/octet-stream').header(HEADER_LENGTH, jsonLength);
    reply.send(body);
  }

  return { admit, infer };
}

/** The model failed or was closed, rather than the run on this request's data. */
class ModelLost extends Error {
  override readonly name = 'ModelLost';
}

function parse(request: FastifyRequest, model: Model): ParsedRequest {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  const parsed =
    request.headers[HEADER_LENGTH] === '0'
      ? parseRawRequest(model.facts.inputs, body)
      : parseRequest(request.headers, body);
  checkRequest(parsed, model.facts);
  return parsed;
}

async function run(model: Model, parsed: ParsedRequest, admitted: AdmittedRequest): Promise<InferenceResult> {
  const names = parsed.outputs?.map(({ name }) => name);
  try {
    const result = await admitted.execution.run((signal) =>
      model.infer({ inputs: parsed.inputs, ...(names !== undefined && { outputs: names }), signal }),
    );
    // Answered with 504 already, or gone: the result is nobody's.
    if (admitted.execution.abandoned) throw new Abandoned('The run ended too late.');
    return result;
  } catch (error) {
    if (error instanceof Abandoned) throw error;
    admitted.failure = 'BACKEND';
    if (error instanceof InferenceError) throw error;
    throw new ModelLost('The model is lost.', { cause: error });
  }
}
