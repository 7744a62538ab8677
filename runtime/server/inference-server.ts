/** The Open Inference Protocol over HTTP for one model: every path, verb and error of it. What may begin is the gate's to decide. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Abandoned } from '../admission/execution.ts';
import { decideAdmission, namesAnotherPod } from '../admission/decide-admission.ts';
import { Refused } from '../admission/refused.ts';
import { ExpiredError, InferenceError, type Model } from '../inference.ts';
import { parseIndexRequest } from '../protocol/parse-index-request.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { Codec } from '../codec/codec.ts';
import { Answers } from './answers.ts';
import type { RuntimeSpecification } from '../../common/wire/runtime-environment.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { inferenceRoute, type InferenceRouteOptions } from './inference-route.ts';
import { inTurn } from './in-turn.ts';
import { closeServer, listen } from './listen.ts';
import { modelMetadata, SERVER_METADATA } from './metadata.ts';
import { modelConfiguration } from './model-configuration.ts';
import { ModelLost } from './model-lost.ts';
import { openApiSource } from './openapi/openapi-source.ts';
import { readBody } from './read-body.ts';
import { MODEL, Router, type Handler, type Route } from './router.ts';
import { modelStatistics } from './statistics-answer.ts';

const LIMITS = {
  /** A gateway takes heads of 32 KiB and adds its own headers. */
  maxHeaderSize: 40 * 1024,
  headersTimeout: 20_000,
  /** How often connections are held to these two; Node's own 30 s would make 50 of 20. */
  connectionsCheckingInterval: 5_000,
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

export interface InferenceServerOptions extends Omit<InferenceRouteOptions, 'answers' | 'codec'> {
  /** What the model's configuration is told from. */
  readonly specification: Pick<RuntimeSpecification, 'function' | 'instances' | 'batching'>;
}

/** Says one thing: `{"ready": true}`. */
const MOST_INDEX_BYTES = 1024;
const FIXED =
  'Models are not loaded or unloaded here: a pod serves one revision of one model for as long as it lives. Apply a ModelFunction instead.';

export function createInferenceServer(options: InferenceServerOptions): InferenceServer {
  const { gate, logger, metrics, name, version } = options;
  const answers = new Answers(gate, version);
  const codec = new Codec(name, version);
  const router = new Router(name, version, routes({ ...options, answers, codec }));

  const fail = (request: IncomingMessage, response: ServerResponse, error: unknown): void => {
    if (error instanceof Abandoned) return;
    if (error instanceof ModelLost) {
      // No answer at all: this says to a gateway that the pod broke under the request, so that it tries another one.
      logger.error({ err: error.cause }, 'Lost the model during a request');
      request.socket.destroy();
    } else if (error instanceof ProtocolError) {
      answers.error(response, error.status, error.message, error.headers);
    } else if (error instanceof Refused) {
      answers.refusal(response, error.reason, error.sentence);
    } else if (error instanceof ExpiredError) {
      answers.error(response, 503, error.message);
    } else if (error instanceof InferenceError) {
      answers.error(response, 400, `The model cannot run on this: ${error.message}`);
    } else {
      logger.error({ err: error }, 'Failed to answer a request');
      if (response.headersSent) request.socket.destroy();
      else answers.error(response, 500, 'The runtime failed to answer; its log says why.');
    }
  };
  const answer = inTurn((request, response) => {
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
  });

  const server = createServer(LIMITS, answer);
  // Node itself would ask for the body before the request is admitted.
  server.on('checkContinue', answer);
  server.on(
    'checkExpectation',
    inTurn((_request, response) => {
      answers.error(response, 417, 'The only expectation that is met is 100-continue.');
    }),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenHttp(error, socket, answers.identity, options.clock);
  });
  return {
    listen: (port, host) => listen(server, port, host),
    async close() {
      await closeServer(server);
      await codec.close();
    },
  };
}

function routes(options: InferenceServerOptions & InferenceRouteOptions): Readonly<Record<string, Route>> {
  const { gate, name, version, answers, metrics, specification } = options;

  /** Goes on with the model where the pod may speak for it: not while it loads or ends, and not for another pod. */
  const withModel =
    (describe: (model: Model) => unknown): Handler =>
    async (request, response) => {
      const model = options.model();
      const refusal = model === undefined ? 'NotReady' : decideAdmission(gate, request.headers, 0);
      if (refusal !== undefined || model === undefined) return answers.refusal(response, refusal ?? 'NotReady');
      answers.json(response, 200, await describe(model));
    };
  const statistics: Handler = (_request, response) => {
    answers.json(response, 200, { model_stats: [modelStatistics(name, version, metrics.statistics)] });
  };
  const openApi = openApiSource(name, version);
  const isReady = (): boolean => gate.phase === 'Ready';
  const readiness =
    (about: object): Handler =>
    (_request, response) => {
      answers.json(response, isReady() ? 200 : 503, { ...about, ready: isReady() });
    };
  const fixed: Handler = (_request, response) => {
    answers.error(response, 400, FIXED);
  };

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
    '/v2/health/ready': { GET: readiness({}) },
    '/openapi.json': { GET: withModel(openApi) },
    '/v2/models/stats': { GET: statistics },
    [MODEL]: { GET: withModel((model) => modelMetadata(name, version, model.facts, model.executionProviders)) },
    [`${MODEL}/ready`]: { GET: readiness({ name }) },
    [`${MODEL}/infer`]: { POST: inferenceRoute(options) },
    [`${MODEL}/stats`]: { GET: statistics },
    [`${MODEL}/config`]: {
      GET: withModel((model) => modelConfiguration(specification, model.facts, model.executionProviders)),
    },
    '/v2/repository/index': {
      async POST(request, response) {
        const { bytes } = await readBody(request, { maxBodyBytes: MOST_INDEX_BYTES, take: () => true });
        const onlyReady = parseIndexRequest(bytes);
        const state = isReady() ? 'READY' : 'UNAVAILABLE';
        answers.json(response, 200, onlyReady && !isReady() ? [] : [{ name, version, state, reason: '' }]);
      },
    },
    [`/v2/repository/models/${name}/load`]: { POST: fixed },
    [`/v2/repository/models/${name}/unload`]: { POST: fixed },
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
