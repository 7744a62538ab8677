/**
 * Collects a request's body, inflated, within a limit. A body of one piece stays where it is; nothing copies it. Of a body whose length nobody can know
 * before its end, every byte is asked for as it comes.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { freeMemory } from '../../common/platform/free-memory.ts';
import { isOfUnknownLength } from '../admission/decide-admission.ts';
import { Abandoned } from '../admission/execution.ts';
import { Refused } from '../admission/refused.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** Is there room in the pod for so many bytes more? */
  readonly take: (bytes: number) => boolean;
}

/** The content codings that are undone; `deflate` is the zlib format, as HTTP has it. */
const CODINGS = { gzip: 'createGunzip', 'x-gzip': 'createGunzip', deflate: 'createInflate' } as const;

/**
 * Rejects with ProtocolError for what is too large or not what its Content-Encoding says, with Refused where the pod has no room, and with Abandoned
 * when the client breaks off: nobody waits for an answer then.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const coding = request.headers['content-encoding'];
  if (Number(request.headers['content-length'] ?? 0) > limits.maxBodyBytes) {
    return Promise.reject(tooLarge(limits.maxBodyBytes));
  }
  if (coding === undefined || coding === 'identity') return collect(request, request, limits);
  return inflate(request, coding.toLowerCase(), limits);
}

async function inflate(request: IncomingMessage, coding: string, limits: BodyLimits): Promise<Buffer> {
  if (!isCoding(coding)) {
    throw new ProtocolError(
      `Content-Encoding ${quote(coding)} is not understood; send the body as it is, or with gzip or deflate.`,
      415,
      ['accept-encoding', 'gzip, deflate'],
    );
  }
  const broken = watchForEnd(request);
  // Loaded when a client first compresses: it is large, and few do.
  const zlib = await import('node:zlib');
  broken.throwIfAborted();
  const inflated = zlib[CODINGS[coding]]();
  try {
    let compressed = 0;
    request.on('data', (chunk: Buffer) => {
      compressed += chunk.length;
      // Gzip of nothing can go on for ever.
      if (compressed > limits.maxBodyBytes) inflated.destroy(tooLarge(limits.maxBodyBytes));
    });
    request.pipe(inflated);
    return await collect(request, inflated, limits);
  } catch (error) {
    if (!isBadData(error)) throw error;
    throw new ProtocolError(`The body is not valid ${coding}, as its Content-Encoding says: ${error.message}.`);
  } finally {
    request.unpipe(inflated);
    inflated.destroy();
    // What still comes is read and dropped, so that the answer reaches the client and the connection can be used again.
    request.resume();
  }
}

function collect(request: IncomingMessage, source: Readable, { maxBodyBytes, take }: BodyLimits): Promise<Buffer> {
  const isUnknown = isOfUnknownLength(request.headers);
  return new Promise((resolve, reject) => {
    // Stays after a refused upload: an error without a listener would end the process.
    request.on('error', () => {
      reject(new Abandoned('The client broke off its request.'));
    });
    if (source !== request) source.on('error', reject);
    const collected = new ByteCollector(isUnknown ? 0 : Number(request.headers['content-length'] ?? 0));
    let first: Buffer | undefined;
    const keep = (chunk: Buffer): void => {
      collected.push(chunk);
      // What is copied is given back; zlib goes on with its buffers. Node's parser of HTTP makes one for each piece, and forgets it.
      if (source !== request) return;
      if (first === undefined) {
        first = chunk;
        return;
      }
      freeMemory(chunk);
      freeMemory(first);
    };
    const onData = (chunk: Buffer): void => {
      if (collected.length + chunk.length > maxBodyBytes) reject(tooLarge(maxBodyBytes));
      else if (isUnknown && !take(chunk.length)) reject(new Refused('LimitReached'));
      else return keep(chunk);
      source.off('data', onData);
    };
    source.on('data', onData);
    source.on('end', () => {
      resolve(collected.bytes);
    });
  });
}

/** Aborts when the client breaks off before anything else listens. */
function watchForEnd(request: IncomingMessage): AbortSignal {
  const controller = new AbortController();
  request.on('error', () => {
    controller.abort(new Abandoned('The client broke off its request.'));
  });
  return controller.signal;
}

function isCoding(coding: string): coding is keyof typeof CODINGS {
  return Object.hasOwn(CODINGS, coding);
}

/** Errors of zlib about its input: Z_DATA_ERROR, Z_BUF_ERROR (it ends too early), Z_NEED_DICT. */
function isBadData(error: unknown): error is NodeJS.ErrnoException {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return typeof error.code === 'string' && error.code.startsWith('Z_');
}

function tooLarge(limit: number): ProtocolError {
  return new ProtocolError(`The body is larger than the ${limit} bytes that are taken.`, 413);
}
