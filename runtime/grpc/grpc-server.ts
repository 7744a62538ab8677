/**
 * The Open Inference Protocol over gRPC for one model, on connections that somebody else accepted. It speaks HTTP/2 itself: a library for gRPC would hand
 * over a message only once all of it is in memory, too late for the gate to refuse it, and take longer to load than a small model.
 */
import {
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { GRPC_STATUS } from '../../common/wire/grpc.ts';
import type { Cancel } from '../../common/platform/clock.ts';
import { closeWhenReset } from '../../common/platform/http2-reset.ts';
import type { Logger } from '../../common/platform/logging.ts';
import { RESPONSE_HEADERS } from '../../common/wire/headers.ts';
import { namesAnotherPod } from '../admission/decide-admission.ts';
import { Abandoned } from '../admission/execution.ts';
import { Refused } from '../admission/refused.ts';
import { quote } from '../protocol/protocol-error.ts';
import { ModelLost } from '../server/model-lost.ts';
import { GrpcCall } from './grpc-call.ts';
import { healthMethods } from './health-method.ts';
import { modelInfer, type InferOptions } from './model-infer.ts';
import { modelMethods, type ModelMethodsOptions } from './model-methods.ts';
import { InferenceStreams } from './model-stream-infer.ts';
import { serverReflectionInfo } from './reflection.ts';
import { CallError, callError } from './call-error.ts';
import type { Method } from './unary-method.ts';

const SERVICE = 'inference.GRPCInferenceService';

/** Of one gateway, which has one connection: as many as it sends to a pod at once. */
const MOST_STREAMS = 1_024;
/** Bytes of one call, and of all on a connection, that may be under way: at 64 KiB, what HTTP/2 begins with, a large tensor waits for each round trip. */
const STREAM_WINDOW = 1024 * 1024;
const CONNECTION_WINDOW = 16 * 1024 * 1024;
/** A gateway takes heads of 32 KiB and adds its own headers. */
const MAX_HEADER_BYTES = 40 * 1024;
/** Megabytes of answers that wait for one client: the gate bounds what is in the pod, and answers are of the size of requests. */
const SESSION_MEGABYTES = 256;
/** A connection without a call ends after so long; gateways close theirs before. */
const IDLE_MILLISECONDS = 120_000;

export interface GrpcServerOptions extends InferOptions, ModelMethodsOptions {
  readonly logger: Logger;
}

export interface GrpcServer {
  accept(socket: Socket): void;
  /** Streams answer what they have and end; other calls go on. */
  endStreams(): void;
  /** Ends every connection; no call may be in flight any more. */
  close(): void;
}

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { gate, metrics, logger, version, clock } = options;
  const identity = {
    [RESPONSE_HEADERS.revision]: version,
    ...(gate.uid !== undefined && { [RESPONSE_HEADERS.podUid]: gate.uid }),
  };
  const streams = new InferenceStreams();
  const methods = methodTable(options, streams);
  const sessions = new Set<ServerHttp2Session>();

  const answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void => {
    // An error of the stream is the client's; what matters is that it closes.
    stream.on('error', () => undefined);
    closeWhenReset(stream);
    const call = new GrpcCall(stream, headers, identity);
    const fail = (error: unknown): void => {
      if (error instanceof Abandoned) return;
      if (error instanceof Refused) return call.refuse(error.reason, error.sentence);
      if (error instanceof ModelLost) {
        logger.error({ err: error.cause }, 'Lost the model during a request');
        call.break();
        return;
      }
      const told = callError(error);
      if (told !== undefined) return call.finish(told.code, told.message);
      logger.error({ err: error }, 'Failed to answer a request');
      call.finish(GRPC_STATUS.INTERNAL, 'The runtime failed to answer; its log says why.');
    };
    if (namesAnotherPod(gate.uid, headers)) {
      metrics.admission('WrongPod');
      return call.refuse('WrongPod');
    }
    try {
      findMethod(methods, headers)(call, fail);
    } catch (error) {
      fail(error);
    }
    // With its last answers a draining pod says that it takes no more on this connection.
    if (gate.phase === 'Draining') stream.session?.close();
  };

  return {
    accept(socket) {
      const session = performServerHandshake(socket, {
        maxSessionMemory: SESSION_MEGABYTES,
        settings: {
          enablePush: false,
          initialWindowSize: STREAM_WINDOW,
          maxConcurrentStreams: MOST_STREAMS,
          maxHeaderListSize: MAX_HEADER_BYTES,
        },
      });
      sessions.add(session);
      let calls = 0;
      session.setLocalWindowSize(CONNECTION_WINDOW);
      const beIdle = (): Cancel => clock.after(IDLE_MILLISECONDS, () => session.close());
      let cancelIdle = beIdle();
      session.on('error', (error: Error) => logger.debug({ err: error }, 'A connection broke'));
      session.on('close', () => {
        cancelIdle();
        sessions.delete(session);
      });
      session.on('stream', (stream, headers) => {
        cancelIdle();
        calls += 1;
        stream.on('close', () => {
          calls -= 1;
          if (calls === 0 && !session.closed) cancelIdle = beIdle();
        });
        answer(stream, headers);
      });
    },
    endStreams: () => streams.end(),
    close() {
      for (const session of sessions) session.destroy();
    },
  };
}

function methodTable(options: GrpcServerOptions, streams: InferenceStreams): ReadonlyMap<string, Method> {
  const services: Readonly<Record<string, Readonly<Record<string, Method>>>> = {
    [SERVICE]: {
      ...modelMethods(options),
      ModelInfer: modelInfer(options),
      ModelStreamInfer: streams.method(options),
    },
    'grpc.health.v1.Health': healthMethods(SERVICE, () => options.gate.phase === 'Ready'),
    'grpc.reflection.v1.ServerReflection': { ServerReflectionInfo: serverReflectionInfo },
    'grpc.reflection.v1alpha.ServerReflection': { ServerReflectionInfo: serverReflectionInfo },
  };
  return new Map(
    Object.entries(services).flatMap(([service, methods]) =>
      Object.entries(methods).map(([name, method]) => [`/${service}/${name}`, method] as const),
    ),
  );
}

function findMethod(methods: ReadonlyMap<string, Method>, headers: IncomingHttpHeaders): Method {
  const path = headers[':path'] ?? '';
  if (headers[':method'] !== 'POST' || headers['content-type']?.startsWith('application/grpc') !== true) {
    throw new CallError(GRPC_STATUS.UNIMPLEMENTED, 'Only gRPC is spoken on this port; HTTP is on the other one.');
  }
  const method = methods.get(path);
  if (method === undefined) throw new CallError(GRPC_STATUS.UNIMPLEMENTED, `There is no method ${quote(path)} here.`);
  return method;
}
