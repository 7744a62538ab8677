/** Clients that speak HTTP/1.1. It holds the bounds of a connection; what becomes of a request is the exchange's business. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../common/platform/clock.ts';
import type { ArrivedRequest } from './begin-exchange.ts';
import type { Caller } from './caller.ts';
import { closeSoon, errorBody, tooLargeMessage } from './error-answer.ts';
import { Http1Caller } from './http1-caller.ts';
import { readRequestHead, type RequestHead } from './request-head.ts';

/**
 * For a whole request to come in. The rest of a large body also waits in here for its pod, so this is the longest queue timeout there can be (an
 * hour) and 15 minutes for the upload itself.
 */
const REQUEST_MILLISECONDS = 75 * 60_000;

export interface Http1ServerOptions {
  readonly clock: Clock;
  /** Bytes of a request's head, and milliseconds for it. */
  readonly maxHeaderBytes: number;
  readonly headersMilliseconds: number;
  /** Without a request a connection ends after so long. */
  readonly idleMilliseconds: number;
  readonly begin: (caller: Caller, request: ArrivedRequest) => void;
}

export function createHttp1Server(options: Http1ServerOptions): Server {
  const { clock, maxHeaderBytes } = options;
  const server = createServer({
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: options.headersMilliseconds,
    requestTimeout: REQUEST_MILLISECONDS,
    keepAliveTimeout: options.idleMilliseconds,
    noDelay: true,
  });
  const answers = new WeakMap<Duplex, ServerResponse>();
  /** Connections on which a request came before the one before it was answered, so that the answer on its way is another than the last. */
  const pipelined = new WeakSet<Duplex>();
  const handle = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (answers.get(socket)?.writableFinished === false) pipelined.add(socket);
    answers.set(socket, response);
    options.begin(new Http1Caller(request, response, clock), {
      head: readHead(request),
      url: request.url ?? '',
      expectsContinue,
    });
  };
  server.on('request', handle(false));
  server.on('checkContinue', handle(true));
  server.on('clientError', (error, socket) => {
    // Answered already, and what still comes is no better.
    if (socket.writableEnded && !socket.destroyed) return;
    // In the middle of an answer another one would be taken for a part of it.
    if (!socket.writable || pipelined.has(socket) || isAnswering(answers.get(socket))) socket.destroy();
    else {
      answerInvalid(error, socket, maxHeaderBytes);
      closeSoon(socket, clock);
    }
  });
  return server;
}

/** Node's parser takes chunks from who speaks HTTP/1.0, which has none (RFC 9112 §6.1), and versions that come after 1.1 in the same form. */
function readHead({ httpVersionMajor, httpVersionMinor, rawHeaders, socket }: IncomingMessage): RequestHead | string {
  const head = readRequestHead(rawHeaders, socket.remoteAddress);
  if (httpVersionMajor === 1 && (httpVersionMinor === 1 || typeof head === 'string' || !head.chunked)) return head;
  return `HTTP/${httpVersionMajor}.${httpVersionMinor} is not spoken here in this form; use HTTP/1.1, or HTTP/2 with its preface.`;
}

/** What Node's parser rejects never becomes a request, so it is answered on the socket itself. */
function answerInvalid(error: Error, socket: Duplex, maxHeaderBytes: number): void {
  const code = 'code' in error ? error.code : undefined;
  const [fault, status, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? (['head-too-large', '431 Request Header Fields Too Large', tooLargeMessage(maxHeaderBytes)] as const)
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? (['bad-request', '408 Request Timeout', 'The request did not come in whole in time.'] as const)
        : (['bad-request', '400 Bad Request', 'This is not a valid HTTP request.'] as const);
  const body = errorBody(fault, message);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function isAnswering(response: ServerResponse | undefined): boolean {
  return response?.headersSent === true && !response.writableFinished;
}
