import type { ServerHttp2Stream } from 'node:http2';

/**
 * Lets a stream close that its client resets with code 0, which Node takes for a good end: it would wait for what it has of the request to be read and for
 * what it has of the answer to be sent, and neither may ever be. To be called as soon as there is the stream.
 */
export function closeWhenReset(stream: ServerHttp2Stream): void {
  const onEnd = (): void => {
    // The event comes from within Node's own closing, which is not over yet.
    if (stream.closed) setImmediate(() => stream.destroy());
  };
  // The client may have reset it in the packet that began it.
  onEnd();
  // Of the answer, if that was not whole; else the request ends, once it is read.
  stream.once('aborted', onEnd);
  stream.once('end', onEnd);
}
