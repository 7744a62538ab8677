/** A port that clients send their requests to, by HTTP/1.1 or HTTP/2, which the first bytes of a connection tell apart. */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../common/platform/clock.ts';
import { closeServer, listen } from '../listen.ts';
import { beginExchange, type ArrivedRequest, type TrafficOptions } from './begin-exchange.ts';
import type { Caller } from './caller.ts';
import type { ExchangeServices } from './exchange.ts';
import { createHttp1Server } from './http1-server.ts';
import { Http2Clients } from './http2-clients.ts';
import { sniffProtocol } from './sniff-protocol.ts';

/** Bytes of a request's head. */
const MAX_HEADER_BYTES = 32 * 1024;
/** A head comes in one packet or two; who needs longer only occupies a connection. */
const HEADERS_MILLISECONDS = 20_000;
/** Longer than the idle timeout of the usual proxies and clients (nginx 60 s, Go 90 s), so that they close first and meet no closed connection. */
const IDLE_MILLISECONDS = 120_000;

export interface TrafficServerOptions extends TrafficOptions {
  /** Also the most requests that all connections of HTTP/2 have together. */
  readonly maxConnections: number;
}

export class TrafficServer {
  readonly #server: Server;
  readonly #http2: Http2Clients;
  readonly #clock: Clock;

  constructor(options: TrafficServerOptions, services: ExchangeServices) {
    const { clock } = services;
    const bounds = {
      clock,
      maxHeaderBytes: MAX_HEADER_BYTES,
      idleMilliseconds: IDLE_MILLISECONDS,
      begin: (caller: Caller, request: ArrivedRequest) => beginExchange(options, services, caller, request),
    };
    this.#clock = clock;
    this.#http2 = new Http2Clients({ ...bounds, maxStreams: options.maxConnections, isDraining: services.isDraining });
    this.#server = createHttp1Server({ ...bounds, headersMilliseconds: HEADERS_MILLISECONDS });
    this.#server.maxConnections = options.maxConnections;
    sortConnections(this.#server, this.#http2, clock);
  }

  /** Resolves with the port, which the system chose if 0 was asked for; rejects if it cannot be had. */
  listen(port: number, host: string | undefined): Promise<number> {
    return listen(this.#server, port, host);
  }

  /** Takes no more connections, waits for those with a request, and cuts them after so many milliseconds. */
  async close(milliseconds: number): Promise<void> {
    this.#http2.close();
    const cancelCut = this.#clock.after(milliseconds, () => this.#http2.destroy());
    await closeServer(this.#server, this.#clock, milliseconds);
    cancelCut();
  }
}

/** The server of HTTP/1.1, which listens, gets its connections as it would by itself, once it is known that they are for it. */
function sortConnections(server: Server, http2: Http2Clients, clock: Clock): void {
  const takers = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const protocols = {
    clock,
    milliseconds: HEADERS_MILLISECONDS,
    http1: (socket: Socket): void => {
      for (const take of takers) take.call(server, socket);
    },
    http2: (socket: Socket): void => http2.accept(socket),
  };
  server.on('connection', (socket) => {
    sniffProtocol(socket, protocols);
  });
}
