/** Collects a request's body within a limit. Fastify's own collector copies every body; this one leaves a body of one piece where it is. */
import type { IncomingMessage } from 'node:http';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

/** Calls back once, with the body or with a ProtocolError; not at all when the client breaks off, because nobody waits for an answer then. */
export function readBody(
  request: IncomingMessage,
  limit: number,
  done: (error: Error | null, body?: Buffer) => void,
): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    done(new ProtocolError(`Content-Encoding ${quote(encoding)} is not understood; send the body as it is.`, 415));
    return;
  }
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) {
    done(tooLarge(limit));
    return;
  }
  const collected = new ByteCollector(declared);
  const finish = (error: Error | null): void => {
    request.off('data', onData).off('end', onEnd);
    if (error === null) done(null, collected.bytes);
    else done(error);
  };
  const onData = (chunk: Buffer): void => {
    if (collected.length + chunk.length > limit) finish(tooLarge(limit));
    else collected.push(chunk);
  };
  const onEnd = (): void => {
    finish(null);
  };
  request.on('data', onData).on('end', onEnd);
  // Also after a refused upload: it must not end the process as an unhandled error.
  request.on('error', () => undefined);
}

function tooLarge(limit: number): ProtocolError {
  return new ProtocolError(`The body is larger than the ${limit} bytes that are taken.`, 413);
}
