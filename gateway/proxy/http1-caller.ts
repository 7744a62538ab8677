import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Clock } from '../../common/platform/clock.ts';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';
import type { Caller } from './caller.ts';
import { answerError, discardRest, refuseBody } from './error-answer.ts';

/** A request on a connection of HTTP/1.1. */
export class Http1Caller implements Caller {
  readonly isGrpc = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #clock: Clock;

  constructor(request: IncomingMessage, response: ServerResponse, clock: Clock) {
    this.#request = request;
    this.#response = response;
    this.#clock = clock;
  }

  get method(): string {
    return this.#request.method ?? 'GET';
  }

  get source(): Readable {
    return this.#request;
  }

  get isComplete(): boolean {
    return this.#request.complete;
  }

  get hasBegun(): boolean {
    return this.#response.headersSent;
  }

  get status(): number {
    return this.#response.statusCode;
  }

  get hasFinished(): boolean {
    return this.#response.writableFinished;
  }

  get isTaken(): boolean {
    return this.#response.writableLength === 0;
  }

  get isQueued(): boolean {
    return this.#response.socket === null;
  }

  /** Only a chunked body ends with them (RFC 9112 §7.1). */
  get #mayHaveTrailers(): boolean {
    return this.#request.httpVersionMinor > 0 && this.method !== 'HEAD';
  }

  watch(closed: () => void): void {
    this.#response.once('close', closed);
  }

  unwatch(closed: () => void): void {
    this.#response.off('close', closed);
  }

  askForBody(): void {
    this.#response.writeContinue();
  }

  letGo(): void {
    this.#response.shouldKeepAlive = false;
  }

  begin(status: number, fields: readonly string[], announced?: string): void {
    const head = this.#mayHaveTrailers && announced !== undefined ? [...fields, 'trailer', announced] : fields;
    this.#response.writeHead(status, head as string[]);
  }

  write(chunk: Buffer, onDrain: () => void): boolean {
    if (this.#response.write(chunk)) return true;
    this.#response.once('drain', onDrain);
    return false;
  }

  end(trailers: IncomingHttpHeaders): void {
    try {
      this.#response.addTrailers(trailers);
    } catch {
      // A pod sent what may not be in them, so what it sent is not whole.
      return this.destroy();
    }
    this.#response.end();
  }

  refuse(code: GatewayErrorCode, message: string, moreComes: boolean, retryAfter: number): void {
    const [request, response] = [this.#request, this.#response];
    if (moreComes && !request.complete) refuseBody(request, response, this.#clock, code, message, retryAfter);
    else answerError(response, code, message, retryAfter);
  }

  /** It stands before the connection's next request, so it is read, or the connection ends. */
  dropRest(): void {
    if (this.#request.complete) return;
    discardRest(this.#request, this.#clock, () => {
      if (!this.#request.complete) this.#request.socket.destroy();
    });
  }

  breakOff(): void {
    this.destroy();
  }

  destroy(): void {
    this.#response.destroy();
  }
}
