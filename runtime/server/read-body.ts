/**
 * Collects a request's body, inflated, within a limit. A body of one piece stays where it is; nothing copies it. Of a body whose length nobody can know
 * before its end, every byte is asked for as it comes.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { ByteCollector } from '../../common/platform/byte-collector.ts';
import { freeMemory } from '../../common/platform/free-memory.ts';
import { contentCoding, isOfUnknownLength } from '../admission/decide-admission.ts';
import { Abandoned } from '../admission/execution.ts';
import { Refused } from '../admission/refused.ts';
import { HEADER_LENGTH } from '../protocol/parse-request.ts';
import { ProtocolError, quote } from '../protocol/protocol-error.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  /** Is there room in the pod for so many bytes more? */
  readonly take: (bytes: number) => boolean;
}

export interface Body {
  readonly bytes: Buffer;
  /** Nothing else lies in their buffer, so it may be handed over or given back. */
  readonly isOwn: boolean;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** The content codings that are undone; `deflate` is the zlib format, as HTTP has it. */
const CODINGS = { gzip: 'createGunzip', 'x-gzip': 'createGunzip', deflate: 'createInflate' } as const;

/**
 * Rejects with ProtocolError for what is too large or not what its Content-Encoding says, with Refused where the pod has no room, and with Abandoned
 * when the client breaks off: nobody waits for an answer then.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Body> {
  const coding = contentCoding(request.headers);
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > limits.maxBodyBytes) return Promise.reject(tooLarge(limits.maxBodyBytes));
  if (!isOfUnknownLength(request.headers)) return receive(request, length);
  return coding === undefined ? collect(request, request, limits) : inflate(request, coding, limits);
}

async function inflate(request: IncomingMessage, coding: string, limits: BodyLimits): Promise<Body> {
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

/** A body that says its length is written where it stays, and so that the tensors behind its JSON are aligned for their session. */
function receive(request: IncomingMessage, length: number): Promise<Body> {
  return new Promise((resolve, reject) => {
    rejectWhenBroken(request, reject);
    let body: Body = { bytes: NOTHING, isOwn: false };
    let received = 0;
    request.on('data', (piece: Buffer) => {
      if (received === 0)
        body = piece.length === length ? asBody(piece) : allocate(length, request.headers[HEADER_LENGTH]);
      if (piece.length === length) return;
      body.bytes.set(piece, received);
      received += piece.length;
      // Node's parser of HTTP makes a buffer for each piece, and forgets it.
      freeMemory(piece);
    });
    request.on('end', () => {
      resolve(body);
    });
  });
}

/** What a tensor of any datatype may begin at a multiple of. */
const ALIGNMENT = 8;

function allocate(length: number, jsonLength: string | string[] | undefined): Body {
  const before = Number(jsonLength ?? 0) % ALIGNMENT;
  const start = before > 0 ? ALIGNMENT - before : 0;
  return { bytes: Buffer.allocUnsafeSlow(start + length).subarray(start), isOwn: true };
}

function asBody(bytes: Buffer): Body {
  return { bytes, isOwn: bytes.byteLength === bytes.buffer.byteLength };
}

/** A body whose length nobody knows before its end. */
function collect(request: IncomingMessage, source: Readable, { maxBodyBytes, take }: BodyLimits): Promise<Body> {
  return new Promise((resolve, reject) => {
    rejectWhenBroken(request, reject);
    if (source !== request) source.on('error', reject);
    const collected = new ByteCollector();
    let first: Buffer | undefined;
    const keep = (piece: Buffer): void => {
      collected.push(piece);
      // What is copied is given back; zlib goes on with its buffers.
      if (source !== request) return;
      if (first === undefined) {
        first = piece;
        return;
      }
      freeMemory(piece);
      freeMemory(first);
    };
    const onData = (piece: Buffer): void => {
      if (collected.length + piece.length > maxBodyBytes) reject(tooLarge(maxBodyBytes));
      else if (!take(piece.length)) reject(new Refused('LimitReached'));
      else return keep(piece);
      source.off('data', onData);
    };
    source.on('data', onData);
    source.on('end', () => {
      resolve(asBody(collected.bytes));
    });
  });
}

/** Stays after a refused upload: an error without a listener would end the process. */
function rejectWhenBroken(request: IncomingMessage, reject: (reason: Error) => void): void {
  request.on('error', () => {
    reject(new Abandoned('The client broke off its request.'));
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
