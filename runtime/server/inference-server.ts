/** The Open Inference Protocol over HTTP for one model: every path, verb and error of it. What may begin is the gate's to decide. */
import fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';
import { decideAdmission, namesAnotherPod } from '../admission/decide-admission.ts';
import { InferenceError } from '../inference.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';
import { sendError, sendRefusal } from './answers.ts';
import { answerBrokenHttp } from './broken-http.ts';
import { inferenceRoute, type InferenceRouteOptions } from './inference-route.ts';
import { modelMetadata, SERVER_METADATA } from './metadata.ts';
import { closeServer, listen } from './listen.ts';
import { readBody } from './read-body.ts';

/** A gateway keeps idle connections for less, so that it, not the pod, closes them: a request on a closing one would be lost. */
const KEEP_ALIVE_MILLISECONDS = 120_000;
/** From a request's first byte to its last; as Node itself has it. */
const RECEIVE_MILLISECONDS = 300_000;
/** No route has a JSON schema; without this Fastify would load the compilers of both kinds (10 ms of each start). */
const NO_SCHEMAS: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: () => refuseSchema, buildSerializer: () => refuseSchema },
};
const READ_METHODS = ['GET', 'HEAD'];

export interface InferenceServer {
  /** Resolves to the port taken. Without a host it takes every address of the machine. */
  listen(port: number, host: string | undefined): Promise<number>;
  /** Closes every connection; nothing may be in flight any more. */
  close(): Promise<void>;
}

export function createInferenceServer(options: InferenceRouteOptions): InferenceServer {
  const { gate, logger, metrics, name, version } = options;
  const identity: Record<string, string> = {
    [RESPONSE_HEADERS.revision]: version,
    ...(gate.uid !== undefined && { [RESPONSE_HEADERS.podUid]: gate.uid }),
  };

  function sendFailure(error: Error & { statusCode?: number }, _request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof ProtocolError) sendError(reply, error.status, error.message);
    else if (error instanceof InferenceError) sendError(reply, 400, `The model cannot run on this: ${error.message}`);
    else if (error.statusCode !== undefined && error.statusCode < 500) {
      sendError(reply, error.statusCode, error.message);
    } else {
      logger.error({ err: error }, 'Failed to answer a request');
      sendError(reply, 500, 'The runtime failed to answer; its log says why.');
    }
  }

  const app = fastify({
    logger: false,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    requestTimeout: RECEIVE_MILLISECONDS,
    schemaController: NO_SCHEMAS,
    // A refusal by the gate says more than Fastify's own 503, and carries the pod's headers.
    return503OnClosing: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1000 },
    frameworkErrors: (error, request, reply) => {
      reply.headers(identity);
      sendFailure(error, request, reply);
    },
    clientErrorHandler: (error, socket) => {
      answerBrokenHttp(error, socket, identity);
    },
  });
  app.decorateRequest('admitted', undefined);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    readBody(payload, gate.maxBodyBytes, done);
  });
  app.setErrorHandler(sendFailure);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(identity);
    if (!namesAnotherPod(gate.uid, request.headers)) return done();
    metrics.admission('WrongPod');
    sendRefusal(reply, 'WrongPod', gate.phase);
  });
  app.setNotFoundHandler((request, reply) => {
    sendError(reply, 404, `There is nothing at ${quote(request.url)}; the model is at /v2/models/${name}.`);
  });
  addRoutes(app, options);
  return {
    async listen(port, host) {
      await app.ready();
      return listen(app.server, port, host);
    },
    close: () => closeServer(app.server),
  };
}

function addRoutes(app: FastifyInstance, options: InferenceRouteOptions): void {
  const { gate, name, version } = options;
  const { admit, infer } = inferenceRoute(options);

  /** Answers every verb but these with 405. */
  function route(
    methods: readonly string[],
    url: string,
    handlers: Omit<Parameters<typeof app.route>[0], 'method' | 'url'>,
  ): void {
    app.route({ method: [...methods], url, exposeHeadRoute: false, ...handlers });
    app.route({
      method: app.supportedMethods.filter((method) => !methods.includes(method)),
      url,
      handler: (request, reply) => {
        reply.header('allow', methods.join(', '));
        sendError(reply, 405, `${request.method} is not answered here; ${methods.join(' and ')} is.`);
      },
    });
  }

  /** Goes on only if the path names this model. The revision's name is its version; "1" is for clients that insist on a number. */
  function forThisModel(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const { model, version: asked } = request.params as { readonly model: string; readonly version?: string };
    if (model !== name) sendError(reply, 404, `There is no model ${quote(model)} here; ${quote(name)} is served.`);
    else if (asked !== undefined && asked !== version && asked !== '1') {
      sendError(reply, 404, `Model ${quote(name)} has no version ${quote(asked)}; ${quote(version)} is served.`);
    } else done();
  }

  route(READ_METHODS, '/v2', { handler: (_request, reply) => reply.send(SERVER_METADATA) });
  route(READ_METHODS, '/v2/health/live', { handler: (_request, reply) => reply.send({ live: true }) });
  route(READ_METHODS, '/v2/health/ready', {
    handler: (_request, reply) => {
      const ready = gate.phase === 'Ready';
      return reply.code(ready ? 200 : 503).send({ ready });
    },
  });
  for (const url of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    route(READ_METHODS, url, {
      onRequest: forThisModel,
      handler: (request, reply) => {
        const model = options.model();
        if (model === undefined) return sendRefusal(reply, 'NotReady', gate.phase);
        const refusal = decideAdmission(gate, request.headers);
        if (refusal !== undefined) return sendRefusal(reply, refusal, gate.phase);
        reply.send(modelMetadata(name, version, model.facts, model.executionProviders));
      },
    });
    route(READ_METHODS, `${url}/ready`, {
      onRequest: forThisModel,
      handler: (_request, reply) => {
        const ready = gate.phase === 'Ready';
        return reply.code(ready ? 200 : 503).send({ name, ready });
      },
    });
    route(['POST'], `${url}/infer`, { onRequest: [forThisModel, admit], handler: infer });
  }
}

function refuseSchema(): never {
  throw new Error('Routes of the runtime have no JSON schema.');
}
