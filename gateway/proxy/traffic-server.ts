/** A port that clients send their requests to. It holds the bounds of a connection; what becomes of a request is the exchange's business. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../../common/wire/errors.ts';
import type { Listener } from '../routing/route-table.ts';
import { answerError, errorBody } from './error-answer.ts';
import { Exchange, type ExchangeServices } from './exchange.ts';
import type { FirstRoutes } from './first-routes.ts';
import { readRequestHead } from './request-head.ts';
import { noRevision } from './turn.ts';

/** Bytes of a request's head. */
const MAX_HEADER_BYTES = 32 * 1024;
/** A head comes in one packet or two; who needs longer only occupies a connection. */
const HEADERS_MILLISECONDS = 20_000;
/**
 * For a whole request to come in. The rest of a large body also waits in here for its pod, so this is the longest queue timeout there can be (an
 * hour) and 15 minutes for the upload itself.
 */
const REQUEST_MILLISECONDS = 75 * 60_000;
/** Longer than the idle timeout of the usual proxies and clients (nginx 60 s, Go 90 s), so that they close first and meet no closed connection. */
const IDLE_MILLISECONDS = 120_000;

const NO_ROUTES =
  'This gateway has just started, and no operator has told it of functions yet; send the request again.';

export interface TrafficServerOptions {
  readonly listener: Listener;
  readonly firstRoutes: FirstRoutes;
  readonly maxConnections: number;
}

export function createTrafficServer(options: TrafficServerOptions, services: ExchangeServices): Server {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_MILLISECONDS,
    requestTimeout: REQUEST_MILLISECONDS,
    keepAliveTimeout: IDLE_MILLISECONDS,
    noDelay: true,
  });
  server.maxConnections = options.maxConnections;
  const answers = new WeakMap<Duplex, ServerResponse>();
  /** Connections on which a request came before the one before it was answered, so that the answer on its way is another than the last. */
  const pipelined = new WeakSet<Duplex>();
  const handle = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (answers.get(socket)?.writableFinished === false) pipelined.add(socket);
    answers.set(socket, response);
    begin(options, services, request, response, expectsContinue);
  };
  server.on('request', handle(false));
  server.on('checkContinue', handle(true));
  server.on('clientError', (error, socket) => {
    // In the middle of an answer another one would be taken for a part of it.
    if (!socket.writable || pipelined.has(socket) || isAnswering(answers.get(socket))) socket.destroy();
    else answerInvalid(error, socket);
  });
  return server;
}

function begin(
  options: TrafficServerOptions,
  services: ExchangeServices,
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): void {
  const { metrics, routes, random } = services;
  const deny = (code: GatewayErrorCode, message: string): void => {
    metrics.countError(code);
    if (services.isDraining()) response.shouldKeepAlive = false;
    answerError(response, code, message);
  };
  const head = readRequestHead(request.rawHeaders, request.socket.remoteAddress);
  if (typeof head === 'string') return deny('bad-request', head);
  // Other protocols may be ignored (RFC 9110 §7.8) and are: Java's HTTP client offers h2c with every request. A websocket cannot be.
  if (head.upgrade === 'websocket') return deny('not-implemented', 'This gateway does not serve websockets; use HTTP.');
  const destination = readTarget(request.url ?? '', head.host);
  if (destination === undefined) return deny('bad-request', 'The request target must be a path or an http URL.');
  const { listener, firstRoutes } = options;
  if (!firstRoutes.haveCome) {
    const again = (): void => begin(options, services, request, response, expectsContinue);
    return firstRoutes.wait(response, again, () => deny('no-routes', NO_ROUTES));
  }
  const match = routes.find(destination.host, destination.target, listener);
  if (typeof match === 'string') return deny('unknown-function', match);
  const revision = routes.choose(match, random);
  if (revision === undefined) return deny('revision-failed', noRevision(match.routed.route.name));
  new Exchange(services, request, response, head, match, revision).start(expectsContinue);
}

/** A target in absolute form names the host itself (RFC 9112 §3.2.2). */
function readTarget(url: string, host: string): { readonly host: string; readonly target: string } | undefined {
  if (url.startsWith('/')) return { host, target: url };
  if (!/^https?:\/\//i.test(url) || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return { host: parsed.host, target: `${parsed.pathname}${parsed.search}` };
}

/** What Node's parser rejects never becomes a request, so it is answered on the socket itself. */
function answerInvalid(error: Error, socket: Duplex): void {
  const code = 'code' in error ? error.code : undefined;
  const [status, message] =
    code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', `The head of the request is larger than ${MAX_HEADER_BYTES} bytes.`]
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'The request did not come in whole in time.']
        : [`${GATEWAY_ERRORS['bad-request'].status} Bad Request`, 'This is not a valid HTTP request.'];
  const body = errorBody('bad-request', message);
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function isAnswering(response: ServerResponse | undefined): boolean {
  return response?.headersSent === true && !response.writableFinished;
}
