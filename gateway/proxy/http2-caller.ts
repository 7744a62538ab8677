import type { IncomingHttpHeaders } from 'node:http';
import {
  constants,
  type IncomingHttpHeaders as Http2Headers,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Readable } from 'node:stream';
import { encodeGrpcMessage, httpStatus, isGrpcType } from '../../common/wire/grpc.ts';
import { GATEWAY_ERRORS, type GatewayErrorCode } from '../../common/wire/errors.ts';
import type { Caller } from './caller.ts';
import { errorBody, errorFields } from './error-answer.ts';

/** How a call of gRPC ended: in trailers, also where a pod put it into the head of an answer without messages. */
const STATUS_FIELDS = new Set(['grpc-status', 'grpc-message', 'grpc-status-details-bin']);

/** A request as a stream of HTTP/2. */
export class Http2Caller implements Caller {
  readonly method: string;
  readonly isGrpc: boolean;
  readonly isQueued = false;
  readonly #stream: ServerHttp2Stream;
  /** The stream ends with trailers, perhaps none. */
  readonly #hasTrailers: boolean;
  #trailers: OutgoingHttpHeaders = {};
  #status = 0;
  /** The trailers are out; nobody wants the rest of the request. */
  #isSent = false;
  #isDropped = false;

  constructor(stream: ServerHttp2Stream, headers: Http2Headers, takesTrailers: boolean) {
    this.#stream = stream;
    this.method = headers[':method'] ?? 'GET';
    this.isGrpc = isGrpcType(headers['content-type']);
    this.#hasTrailers = this.isGrpc || takesTrailers;
  }

  get source(): Readable {
    return this.#stream;
  }

  /** Nothing can be answered any more. A client's reset closes a stream, and destroys it a little later. */
  get #isGone(): boolean {
    return this.#stream.closed || this.#stream.destroyed;
  }

  get isComplete(): boolean {
    return this.#stream.readableEnded || this.#stream.destroyed;
  }

  get hasBegun(): boolean {
    return this.#stream.headersSent;
  }

  get status(): number {
    return this.isGrpc && this.#status === 200 ? httpStatus(this.#trailers['grpc-status']) : this.#status;
  }

  get hasFinished(): boolean {
    const { writableFinished, aborted, rstCode } = this.#stream;
    return writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
  }

  /** Trailers wait too while a client reads nothing, and no length counts them. */
  get isTaken(): boolean {
    return this.#isGone;
  }

  watch(closed: () => void): void {
    this.#stream.once('close', closed);
  }

  unwatch(closed: () => void): void {
    this.#stream.off('close', closed);
  }

  askForBody(): void {
    if (!this.#isGone) this.#stream.additionalHeaders({ ':status': 100 });
  }

  letGo(): void {
    const { session } = this.#stream;
    if (session?.closed === false) session.close();
  }

  begin(status: number, fields: readonly string[], announced?: string): void {
    if (this.#isGone) return;
    this.#status = status;
    const head = [':status', String(status)];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [name = '', value = ''] = [fields[at], fields[at + 1]];
      if (this.isGrpc && STATUS_FIELDS.has(name)) this.#trailers[name] = value;
      else head.push(name, value);
    }
    if (announced !== undefined) head.push('trailer', announced);
    this.#stream.respond(head, { waitForTrailers: this.#hasTrailers });
    if (!this.#hasTrailers) return;
    this.#stream.once('wantTrailers', () => {
      if (!this.#sendTrailers()) return;
      this.#isSent = true;
      if (this.#isDropped) setImmediate(this.#reset);
    });
  }

  /** False: a pod sent what may not be in trailers, and the client is told that its answer is not whole. */
  #sendTrailers(): boolean {
    try {
      this.#stream.sendTrailers(this.#trailers);
      return true;
    } catch {
      this.destroy();
      return false;
    }
  }

  write(chunk: Buffer, onDrain: () => void): boolean {
    if (this.#isGone || this.#stream.write(chunk)) return true;
    this.#stream.once('drain', onDrain);
    return false;
  }

  end(trailers: IncomingHttpHeaders): void {
    for (const [name, value] of Object.entries(trailers)) if (value !== undefined) this.#trailers[name] = value;
    this.#stream.end();
  }

  refuse(code: GatewayErrorCode, message: string, _moreComes: boolean, retryAfter: number): void {
    if (this.isGrpc) {
      const { grpc } = GATEWAY_ERRORS[code];
      this.begin(200, [
        'content-type',
        'application/grpc',
        'grpc-status',
        String(grpc),
        'grpc-message',
        encodeGrpcMessage(message),
      ]);
      this.#stream.end();
    } else {
      const body = errorBody(code, message);
      this.begin(GATEWAY_ERRORS[code].status, errorFields(code, body, retryAfter));
      this.#stream.end(body);
    }
    this.dropRest();
  }

  dropRest(): void {
    this.#isDropped = true;
    // A stream without a reader does not even see that the request has ended.
    this.#stream.resume();
    if (this.isGrpc ? this.#isSent : this.#stream.writableFinished) setImmediate(this.#reset);
    else if (!this.isGrpc) this.#stream.once('finish', () => setImmediate(this.#reset));
  }

  /** Once all of the answer is out, or it would cut that short. Without a word the client would send all of its request (RFC 9113 §8.1). */
  readonly #reset = (): void => {
    if (!this.isComplete) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  };

  breakOff(message: string): void {
    if (!this.isGrpc) return this.destroy();
    const code = GATEWAY_ERRORS['pod-failed'].grpc;
    this.end({ 'grpc-status': String(code), 'grpc-message': encodeGrpcMessage(message) });
    this.dropRest();
  }

  /** `close` would end the answer before it resets the stream, and what is cut short would pass for whole. */
  destroy(): void {
    if (!this.#stream.closed) this.#stream.destroy(CUT_SHORT);
  }
}

const CUT_SHORT = new Error('The answer is cut short.');
