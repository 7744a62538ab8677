/** The port between an exchange and the client that it answers: one request, on a connection of HTTP/1.1 or as a stream of HTTP/2. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { GatewayErrorCode } from '../../common/wire/errors.ts';

export interface Caller {
  readonly method: string;
  /** It speaks gRPC, and wants a pod's gRPC port. */
  readonly isGrpc: boolean;
  /** What comes in of the request's body. */
  readonly source: Readable;
  /** All of the request is here, whether it was read or not. */
  readonly isComplete: boolean;
  /** The head of an answer is out. */
  readonly hasBegun: boolean;
  /** Of the answer; what it would be in HTTP, for gRPC. */
  readonly status: number;
  /** All of the answer is with the client's system. */
  readonly hasFinished: boolean;
  /** Of an answer that was ended: the client's system has taken the last of it, or is about to. */
  readonly isTaken: boolean;
  /** The answer waits behind an earlier one on its connection, which has limits of its own. */
  readonly isQueued: boolean;

  /** Calls back once, when the request is over, whoever ended it; `unwatch` takes that back. */
  watch(closed: () => void): void;
  unwatch(closed: () => void): void;
  /** The client waits with its body until it is asked for it. */
  askForBody(): void;
  /** With this answer the client is told to take its next requests elsewhere. */
  letGo(): void;
  /** Fields are name, value, name, value, …; `announced` are the names of fields that follow the body, as the pod says it. */
  begin(status: number, fields: readonly string[], announced?: string): void;
  /** False: that is enough until the client took some, which is told once. */
  write(chunk: Buffer, onDrain: () => void): boolean;
  end(trailers: IncomingHttpHeaders): void;
  /**
   * Answers with an error in place of an answer. `moreComes`: perhaps not all of the body was sent yet, and nobody wants the rest. `retryAfter`: seconds after
   * which it is worth sending again, for codes that say so.
   */
  refuse(code: GatewayErrorCode, message: string, moreComes: boolean, retryAfter: number): void;
  /** The answer is complete, and what still comes of the request is nobody's. */
  dropRest(): void;
  /** The pod broke in the middle of the answer: says so in the status that ends it, where the protocol has one there, and else as `destroy` does. */
  breakOff(message: string): void;
  /** Ends it so that the client sees that its answer is not whole. */
  destroy(): void;
}
