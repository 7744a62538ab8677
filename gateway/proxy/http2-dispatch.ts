/** One request to a pod by HTTP/2. It speaks to its handler as undici does, so an attempt cannot tell the two apart. */
import { constants, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { addAbortSignal, Readable } from 'node:stream';
import { errors, type Dispatcher } from 'undici';
import { NotSent } from './not-sent.ts';

type AnswerHeaders = IncomingHttpHeaders & { ':status'?: number | undefined };

export class Http2Dispatch implements Dispatcher.DispatchController {
  readonly #session: ClientHttp2Session;
  readonly #options: Dispatcher.DispatchOptions;
  readonly #handler: Dispatcher.DispatchHandler;
  #stream: ClientHttp2Stream | undefined;
  #reason: Error | null = null;
  #trailers: IncomingHttpHeaders = {};
  #isOver = false;

  constructor(session: ClientHttp2Session, options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
    this.#session = session;
    this.#options = options;
    this.#handler = handler;
  }

  get aborted(): boolean {
    return this.#reason !== null;
  }

  get paused(): boolean {
    return this.#stream?.isPaused() === true;
  }

  get reason(): Error | null {
    return this.#reason;
  }

  abort(reason: Error): void {
    if (this.#isOver) return;
    this.#reason = reason;
    // As CANCEL. `close` would end the request first, and a pod could take what is there of it for all.
    if (this.#stream !== undefined) addAbortSignal(AbortSignal.abort(), this.#stream);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** The session is connected. Undefined if the request did not become a stream, of which the handler has heard. */
  begin(): ClientHttp2Stream | undefined {
    this.#handler.onRequestStart?.(this, undefined);
    if (this.#reason !== null) {
      this.fail(this.#reason);
      return undefined;
    }
    const { body } = this.#options;
    const whole = body instanceof Uint8Array ? body : undefined;
    const stream = this.#request(whole?.length, body === null || body === undefined);
    if (stream === undefined) return undefined;
    this.#stream = stream;
    stream.on('headers', this.#onHead);
    stream.on('response', this.#onHead);
    stream.on('trailers', (trailers: AnswerHeaders) => {
      this.#trailers = trailers;
    });
    stream.on('data', (chunk: Buffer) => this.#handler.onResponseData?.(this, chunk));
    stream.on('end', this.#onEnd);
    stream.on('error', this.#onBreak);
    stream.on('close', this.#onBreak);
    if (whole !== undefined) stream.end(whole);
    else if (body instanceof Readable) body.pipe(stream);
    return stream;
  }

  /** The handler hears of it, unless it has heard that the request is over. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#handler.onResponseError?.(this, error);
  }

  #request(length: number | undefined, endStream: boolean): ClientHttp2Stream | undefined {
    const { method, path, headers } = this.#options;
    try {
      return this.#session.request(toHeaders(method, path, headers as readonly string[], length), { endStream });
    } catch (error) {
      this.fail(this.#refusal(error));
      return undefined;
    }
  }

  /** Why there is no stream: the session has no more of them, or what the client sent is not a head. */
  #refusal(error: unknown): Error {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // After 2³⁰ requests.
    if (code === 'ERR_HTTP2_OUT_OF_STREAMS') this.#session.close();
    if (this.#session.closed || this.#session.destroyed) {
      return new NotSent('The pod takes no more calls on this connection.', { cause: error });
    }
    return new errors.InvalidArgumentError(`The head of the request is not valid: ${String(error)}`);
  }

  readonly #onHead = (headers: AnswerHeaders): void => {
    const { ':status': status = 0 } = headers;
    delete headers[':status'];
    this.#handler.onResponseStart?.(this, status, headers, '');
  };

  readonly #onEnd = (): void => {
    const stream = this.#stream;
    // A stream that is reset ends too, without a word that it is whole.
    if (stream === undefined || this.#isOver || stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR) return;
    this.#isOver = true;
    this.#handler.onResponseEnd?.(this, this.#trailers);
    // An answer that did not wait for the rest of the request.
    if (!stream.writableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
  };

  readonly #onBreak = (error?: Error): void => {
    const isRefused = this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    this.fail(isRefused ? new NotSent('The pod took no more calls on this connection.') : (error ?? BROKEN_OFF));
  };
}

const BROKEN_OFF = new Error('The pod broke the call off.');

function toHeaders(
  method: string,
  path: string,
  fields: readonly string[],
  length: number | undefined,
): readonly string[] {
  const headers = [':method', method, ':path', path, ':scheme', 'http', 'te', 'trailers', ...fields];
  if (length !== undefined) headers.push('content-length', String(length));
  return headers;
}
