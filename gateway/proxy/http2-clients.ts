/**
 * Clients that speak HTTP/2 without TLS, as gRPC's do. It holds the bounds of a connection; what becomes of a request is the exchange's business. Frames that
 * nobody needs (resets, pings, settings by the thousand) are bounded by nghttp2, which then ends the connection.
 */
import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { closeWhenReset } from '../../common/platform/http2-reset.ts';
import type { Clock } from '../../common/platform/clock.ts';
import { Http2Caller } from './http2-caller.ts';
import { readRequestHead, type RequestHead } from './request-head.ts';
import type { ArrivedRequest } from './begin-exchange.ts';
import type { Caller } from './caller.ts';
import { tooLargeMessage } from './error-answer.ts';

/** Requests at once on one connection. A client of gRPC sends all that it has to one address over one. */
const MOST_STREAMS = 256;
/** Bytes of a request that may be under way while it is not read, for each stream. */
const STREAM_WINDOW = 256 * 1024;
/** Bytes on the way for a whole connection: with the 64 KiB that HTTP/2 begins with, one upload would wait for each round trip. */
const CONNECTION_WINDOW = 4 * 1024 * 1024;
/** Megabytes that nghttp2 and answers may take for one connection: a slow reader's streams are refused beyond. */
const SESSION_MEGABYTES = 64;

export interface Http2ClientsOptions {
  readonly clock: Clock;
  /** Of all connections together. */
  readonly maxStreams: number;
  readonly maxHeaderBytes: number;
  /** Without a request a connection ends after so long: also one whose head does not come to an end. */
  readonly idleMilliseconds: number;
  readonly isDraining: () => boolean;
  readonly begin: (caller: Caller, request: ArrivedRequest) => void;
}

export class Http2Clients {
  readonly #options: Http2ClientsOptions;
  readonly #sessions = new Set<ServerHttp2Session>();
  #streams = 0;

  constructor(options: Http2ClientsOptions) {
    this.#options = options;
  }

  /** A connection whose first bytes, which can be read from it, are those of HTTP/2. */
  accept(socket: Socket): void {
    const { clock, maxHeaderBytes, idleMilliseconds } = this.#options;
    const session = performServerHandshake(socket, {
      maxSessionMemory: SESSION_MEGABYTES,
      maxSessionInvalidFrames: 100,
      // Node counts a stream that was reset until it is destroyed, a turn later, and resets with ENHANCE_YOUR_CALM what takes its place before: at most
      // as many as may be open, of a client whose calls expire together and are sent anew. Beyond 100 it would end the connection.
      maxSessionRejectedStreams: MOST_STREAMS,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW,
        maxConcurrentStreams: MOST_STREAMS,
        maxHeaderListSize: maxHeaderBytes,
      },
    });
    this.#sessions.add(session);
    session.setLocalWindowSize(CONNECTION_WINDOW);
    const beIdle = (): (() => void) =>
      clock.after(idleMilliseconds, () => {
        // What goes on without a request is no request's, so there is nothing to wait for.
        session.destroy();
      });
    let cancelIdle = beIdle();
    let open = 0;
    // What it breaks are its streams, which hear of it themselves.
    session.on('error', () => undefined);
    // A client that ends its side of a connection of HTTP/2 is gone, not waiting for answers as one of HTTP/1.1 may be.
    socket.once('end', () => session.destroy());
    session.on('close', () => {
      cancelIdle();
      this.#sessions.delete(session);
    });
    session.on('stream', (stream, headers, flags, raw: readonly string[]) => {
      stream.on('error', () => undefined);
      closeWhenReset(stream);
      if (this.#streams >= this.#options.maxStreams) return stream.close(constants.NGHTTP2_REFUSED_STREAM);
      cancelIdle();
      open += 1;
      this.#streams += 1;
      stream.once('close', () => {
        open -= 1;
        this.#streams -= 1;
        if (open === 0 && !session.destroyed) cancelIdle = beIdle();
      });
      this.#begin(stream, headers, flags, raw, socket.remoteAddress);
    });
    if (this.#options.isDraining()) session.close();
  }

  /** Clients are told to take their next requests elsewhere; requests that are here go on. */
  close(): void {
    for (const session of this.#sessions) if (!session.closed) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #begin(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    flags: number,
    raw: readonly string[],
    client: string | undefined,
  ): void {
    const hasNoBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const { maxHeaderBytes } = this.#options;
    const fits = !isTooLarge(raw, maxHeaderBytes);
    const head = fits ? withBody(readRequestHead(raw, client), !hasNoBody) : tooLargeMessage(maxHeaderBytes);
    const takesTrailers = typeof head !== 'string' && head.takesTrailers;
    this.#options.begin(new Http2Caller(stream, headers, takesTrailers), {
      head,
      fault: fits ? undefined : 'head-too-large',
      url: headers[':path'] ?? '',
      expectsContinue: headers.expect?.toLowerCase() === '100-continue',
    });
  }
}

/** nghttp2 holds a client to its settings only once that has confirmed them. Bytes are counted as those are (RFC 9113 §6.5.2). */
function isTooLarge(raw: readonly string[], limit: number): boolean {
  let bytes = 16 * raw.length;
  for (const text of raw) bytes += text.length;
  return bytes > limit;
}

/** HTTP/2 says by the end of the head, not by a field, whether a body of unknown length follows. */
function withBody(head: RequestHead | string, hasBody: boolean): RequestHead | string {
  if (typeof head === 'string') return head;
  return { ...head, chunked: hasBody && head.contentLength === undefined };
}
