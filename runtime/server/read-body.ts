/** Collects a request's body within a limit. A body of one piece stays where it is; nothing copies it. */
import type { IncomingMessage } from 'node:http';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { Abandoned } from '../admission/execution.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

/** Rejects with ProtocolError, or with Abandoned when the client breaks off: nobody waits for an answer then. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const declared = Number(request.headers['content-length'] ?? 0);
  return new Promise((resolve, reject) => {
    // Stays after a refused upload: an error without a listener would end the process.
    request.on('error', () => {
      reject(new Abandoned('The client broke off its request.'));
    });
    if (encoding !== 'identity') {
      throw new ProtocolError(`Content-Encoding ${quote(encoding)} is not understood; send the body as it is.`, 415);
    }
    if (declared > limit) throw tooLarge(limit);
    const collected = new ByteCollector(declared);
    const onData = (chunk: Buffer): void => {
      if (collected.length + chunk.length <= limit) return collected.push(chunk);
      request.off('data', onData);
      reject(tooLarge(limit));
    };
    request.on('data', onData);
    request.on('end', () => {
      resolve(collected.bytes);
    });
  });
}

function tooLarge(limit: number): ProtocolError {
  return new ProtocolError(`The body is larger than the ${limit} bytes that are taken.`, 413);
}
