/** The Open Inference Protocol over HTTP for one model: every path, verb and error of it. What may begin is the gate's to decide. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Abandoned } from '../admission/execution.ts';
import { decideAdmission, namesAnotherPod } from '../admission/decide-admission.ts';
import { InferenceError } from '../inference.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { Answers } from './answers.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { inferenceRoute, type InferenceRouteOptions } from './inference-route.ts';
import { closeServer, listen } from './listen.ts';
import { modelMetadata, SERVER_METADATA } from './metadata.ts';
import { ModelLost } from './model-lost.ts';
import { MODEL, Router, type Handler, type Route } from './router.ts';

const LIMITS = {
  /** A gateway takes heads of 32 KiB and adds its own headers. */
  maxHeaderSize: 40 * 1024,
  headersTimeout: 20_000,
  /** Milliseconds from a request's first byte to its last; as Node itself has it. */
  requestTimeout: 300_000,
  /** A gateway keeps idle connections for less, so that it, not the pod, closes them: a request on a closing one would be lost. */
  keepAliveTimeout: 120_000,
  // Nothing here looks at it, and Node's own refusal would lack the pod's headers and a reason.
  requireHostHeader: false,
};

export interface InferenceServer {
  /** Resolves to the port taken. Without a host it takes every address of the machine. */
  listen(port: number, host: string | undefined): Promise<number>;
  /** Closes every connection; nothing may be in flight any more. */
  close(): Promise<void>;
}

export function createInferenceServer(options: Omit<InferenceRouteOptions, 'answers'>): InferenceServer {
  const { gate, logger, metrics, name, version } = options;
  const answers = new Answers(gate, version);
  const router = new Router(name, version, routes({ ...options, answers }));

  const fail = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    if (error instanceof Abandoned) return;
    if (error instanceof ModelLost) {
      // No answer at all: this says to a gateway that the pod broke under the request, so that it tries another one.
      logger.error({ err: error.cause }, 'Lost the model during a request');
      request.socket.destroy();
    } else if (error instanceof ProtocolError) {
      answers.error(response, error.status, error.message, error.headers);
    } else if (error instanceof InferenceError) {
      answers.error(response, 400, `The model cannot run on this: ${error.message}`);
    } else {
      logger.error({ err: error }, 'Failed to answer a request');
      if (response.headersSent) request.socket.destroy();
      else answers.error(response, 500, 'The runtime failed to answer; its log says why.');
    }
  };
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    try {
      if (namesAnotherPod(gate.uid, request.headers)) {
        metrics.admission('WrongPod');
        answers.refusal(response, 'WrongPod');
        return;
      }
      const handler = findHandler(router.find(request.url ?? ''), request.method ?? '');
      handler(request, response)?.catch((error: unknown) => {
        fail(request, response, error);
      });
    } catch (error) {
      fail(request, response, error);
    }
  };

  const server = createServer(LIMITS, answer);
  // Node itself would ask for the body before the request is admitted.
  server.on('checkContinue', answer);
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    answers.error(response, 417, 'The only expectation that is met is 100-continue.');
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenHttp(error, socket, answers.identity);
  });
  return { listen: (port, host) => listen(server, port, host), close: () => closeServer(server) };
}

function routes(options: InferenceRouteOptions): Readonly<Record<string, Route>> {
  const { gate, name, version, answers } = options;
  return {
    '/v2': {
      GET(_request, response) {
        answers.json(response, 200, SERVER_METADATA);
      },
    },
    '/v2/health/live': {
      GET(_request, response) {
        answers.json(response, 200, { live: true });
      },
    },
    '/v2/health/ready': {
      GET(_request, response) {
        const ready = gate.phase === 'Ready';
        answers.json(response, ready ? 200 : 503, { ready });
      },
    },
    [MODEL]: {
      GET(request, response) {
        const model = options.model();
        const refusal = model === undefined ? 'NotReady' : decideAdmission(gate, request.headers);
        if (refusal !== undefined || model === undefined) return answers.refusal(response, refusal ?? 'NotReady');
        answers.json(response, 200, modelMetadata(name, version, model.facts, model.executionProviders));
      },
    },
    [`${MODEL}/ready`]: {
      GET(_request, response) {
        const ready = gate.phase === 'Ready';
        answers.json(response, ready ? 200 : 503, { name, ready });
      },
    },
    [`${MODEL}/infer`]: { POST: inferenceRoute(options) },
  };
}

/** Throws ProtocolError 405, whose answer says which verbs are taken. */
function findHandler(route: Route, method: string): Handler {
  const handler = method === 'POST' ? route.POST : method === 'GET' || method === 'HEAD' ? route.GET : undefined;
  if (handler !== undefined) return handler;
  const verbs = [...(route.GET === undefined ? [] : ['GET', 'HEAD']), ...(route.POST === undefined ? [] : ['POST'])];
  const taken = verbs.length === 1 ? `${verbs.join()} is` : `${verbs.join(' and ')} are`;
  throw new ProtocolError(`${method} is not answered here; ${taken}.`, 405, ['allow', verbs.join(', ')]);
}
