/** One call on its HTTP/2 stream: what gRPC makes of headers, data and trailers. What the call is about is its method's business. */
import type { IncomingHttpHeaders } from 'node:http';
import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { encodeGrpcMessage, GRPC_STATUS, type GrpcStatus } from '../../common/wire/grpc.ts';
import { RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import { SENTENCES } from '../server/answers.ts';
import { ENCODINGS } from './decompress.ts';
import { PREFIX_BYTES } from './message-reader.ts';
import type { MessageType } from './protobuf/message.ts';

const PROCESSING = { ':status': 102 };

export class GrpcCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly #identity: OutgoingHttpHeaders;
  #hasEnded = false;

  /** `identity` are the pod's own headers, which every answer carries. */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, identity: OutgoingHttpHeaders) {
    this.stream = stream;
    this.headers = headers;
    this.#identity = identity;
  }

  /** Nothing can be answered any more: it is, or the client is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded || this.stream.destroyed || this.stream.closed;
  }

  /** The rest of the request may come: it is admitted. */
  tellAdmission(): void {
    if (!this.hasEnded && !this.stream.headersSent) this.stream.additionalHeaders(PROCESSING);
  }

  /** False: the client is behind; `drained` resolves when it is not. */
  send<T extends object>(type: MessageType<T>, value: Partial<T>, expectedBytes?: number): boolean {
    if (this.hasEnded) return true;
    this.#begin();
    const framed = type.encode(value, PREFIX_BYTES, expectedBytes);
    framed[0] = 0;
    framed.writeUInt32BE(framed.length - PREFIX_BYTES, 1);
    return this.stream.write(framed);
  }

  /** The client can take more, or is gone. */
  drained(): Promise<void> {
    const { stream } = this;
    return new Promise((resolve) => {
      const done = (): void => {
        stream.off('drain', done);
        stream.off('close', done);
        resolve();
      };
      stream.on('drain', done);
      stream.on('close', done);
    });
  }

  finish(code: GrpcStatus = GRPC_STATUS.OK, message = '', headers: OutgoingHttpHeaders = {}): void {
    if (this.hasEnded) return;
    this.#hasEnded = true;
    // Unread, the stream would not close.
    this.stream.resume();
    const status: OutgoingHttpHeaders = { 'grpc-status': String(code) };
    if (message !== '') status['grpc-message'] = encodeGrpcMessage(message);
    if (this.stream.headersSent) {
      this.stream.once('wantTrailers', () => {
        this.stream.sendTrailers(status);
        setImmediate(() => this.#dropRest());
      });
      this.stream.end();
    } else {
      // An answer without messages is all trailers, in the one block of headers that it has.
      this.stream.once('finish', () => this.#dropRest());
      this.stream.respond({ ...this.#answerHeaders(), ...status, ...headers }, { endStream: true });
    }
  }

  /** The call was not begun, so it may be sent elsewhere. */
  refuse(reason: NotAdmitted, sentence = SENTENCES[reason]): void {
    const code = reason === 'LimitReached' ? GRPC_STATUS.RESOURCE_EXHAUSTED : GRPC_STATUS.UNAVAILABLE;
    this.finish(code, sentence, { [RESPONSE_HEADERS.notAdmitted]: reason });
  }

  /** No answer at all: this says to a gateway that the pod broke under the call, so that it tries another one. */
  break(): void {
    this.#hasEnded = true;
    // `close` would end the answer before it resets the stream, and an answer that has begun would pass for whole.
    this.stream.destroy(BROKEN);
  }

  /** What still comes in after the answer is nobody's; without a word the client would send all of it (RFC 9113 §8.1). */
  #dropRest(): void {
    if (!this.stream.readableEnded && !this.stream.destroyed) this.stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #begin(): void {
    if (!this.stream.headersSent) this.stream.respond(this.#answerHeaders(), { waitForTrailers: true });
  }

  #answerHeaders(): OutgoingHttpHeaders {
    return {
      ':status': 200,
      ...this.#identity,
      'content-type': 'application/grpc',
      'grpc-accept-encoding': ENCODINGS,
    };
  }
}

const BROKEN = new Error('The pod broke under the call.');
