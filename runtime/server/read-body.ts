/** Collects a request's body within a limit. Fastify's own collector copies every body; this one leaves a body of one chunk where it is. */
import type { IncomingMessage } from 'node:http';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

/** Calls back once: with the body, or with a ProtocolError, or with the connection's error when the client broke off. */
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
  if (Number(request.headers['content-length'] ?? 0) > limit) {
    done(tooLarge(limit));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  const finish = (error: Error | null): void => {
    request.off('data', onData).off('end', onEnd).off('error', finish);
    if (error !== null) {
      // What comes late on a broken or refused upload must not end the process as an unhandled error.
      request.on('error', () => undefined);
      done(error);
    } else {
      const [first] = chunks;
      done(null, first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length));
    }
  };
  const onData = (chunk: Buffer): void => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > limit) finish(tooLarge(limit));
  };
  const onEnd = (): void => {
    finish(null);
  };
  request.on('data', onData).on('end', onEnd).on('error', finish);
}

function tooLarge(limit: number): ProtocolError {
  return new ProtocolError(`The body is larger than the ${limit} bytes that are taken.`, 413);
}
