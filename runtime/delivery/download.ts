/**
 * One GET of a model into a file, hashed on the way, bounded in size, redirects and time. It does not decide whether to try again: it says whether
 * that could help.
 */
import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../common/platform/clock.ts';
import { Deadline, type DeadlineLimits } from './deadline.ts';
import type { FileDigest } from './hash-file.ts';
import { errorCode, errorText } from './node-error.ts';

export interface DownloadLimits extends DeadlineLimits {
  readonly redirects: number;
  readonly bytes: number;
}

export const DOWNLOAD_LIMITS: DownloadLimits = {
  connectMilliseconds: 10_000,
  idleMilliseconds: 30_000,
  totalMilliseconds: 3_600_000,
  redirects: 5,
  // An ONNX file is one protobuf message, which cannot be larger.
  bytes: 2 ** 31,
};

export class DownloadError extends Error {
  override readonly name = 'DownloadError';
  /** What happened may be gone in a moment. */
  readonly temporary: boolean;
  /** The server says that there is nothing. */
  readonly notFound: boolean;

  constructor(message: string, kind: 'temporary' | 'lasting' | 'notFound') {
    super(message);
    this.temporary = kind === 'temporary';
    this.notFound = kind === 'notFound';
  }
}

export interface DownloadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly limits: DownloadLimits;
}

/** Rejects with DownloadError, or with the signal's reason. What a failed download has left at `path` is the caller's to remove. */
export async function download(
  url: URL,
  path: string,
  { clock, signal, limits }: DownloadOptions,
): Promise<FileDigest> {
  const deadline = new Deadline(clock, limits, signal);
  try {
    // Before the request: a response that nobody reads yet loses what it holds when the connection ends.
    await using file = await open(path, 'wx');
    const response = await follow(url, limits.redirects, deadline);
    return await save(response, file, limits.bytes, deadline);
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.expired !== undefined) throw new DownloadError(deadline.expired, 'temporary');
    throw error instanceof DownloadError ? error : new DownloadError(describeNetworkError(error), 'temporary');
  } finally {
    deadline.close();
  }
}

async function follow(url: URL, redirects: number, deadline: Deadline): Promise<IncomingMessage> {
  const response = await get(url, deadline);
  const status = response.statusCode ?? 0;
  if (status === 200) return response;
  response.destroy();
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined) {
    const next = URL.parse(location, url.href);
    if (next === null || (next.protocol !== 'https:' && next.protocol !== url.protocol)) {
      throw new DownloadError(
        `it redirects to something that is neither https nor ${url.protocol.slice(0, -1)}`,
        'lasting',
      );
    }
    if (redirects === 0) throw new DownloadError('it redirects too often', 'lasting');
    return follow(next, redirects - 1, deadline);
  }
  throw statusError(status);
}

function statusError(status: number): DownloadError {
  const answered = `the server answered ${status}`;
  if (status === 404 || status === 410) return new DownloadError(answered, 'notFound');
  if (status === 401 || status === 403) return new DownloadError(`${answered}: it wants credentials`, 'lasting');
  const temporary = status >= 500 || status === 408 || status === 425 || status === 429;
  return new DownloadError(answered, temporary ? 'temporary' : 'lasting');
}

function get(url: URL, deadline: Deadline): Promise<IncomingMessage> {
  deadline.connecting(url.host);
  return new Promise((resolve, reject) => {
    const options = {
      // A connection of its own, closed with the answer.
      agent: false,
      signal: deadline.signal,
      headers: { accept: 'application/octet-stream, */*', 'accept-encoding': 'identity', 'user-agent': 'pilotlight' },
    };
    const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
    request.once('socket', (socket) => {
      socket.once('connect', () => {
        deadline.progress();
      });
    });
    request.once('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

async function save(
  response: IncomingMessage,
  file: FileHandle,
  maximum: number,
  deadline: Deadline,
): Promise<FileDigest> {
  const encoding = response.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') {
    response.destroy();
    throw new DownloadError(
      `it is compressed (content-encoding ${encoding}) although that was not asked for`,
      'lasting',
    );
  }
  const header = response.headers['content-length'];
  const announced = header === undefined ? undefined : Number(header);
  const tooLarge = (): DownloadError =>
    new DownloadError(`it is larger than ${maximum} bytes, which no ONNX file can be`, 'lasting');
  if (announced !== undefined && announced > maximum) {
    response.destroy();
    throw tooLarge();
  }
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      deadline.progress();
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maximum) throw tooLarge();
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } catch (error) {
    if (CUT_SHORT.has(errorCode(error))) throw new DownloadError(truncated(sizeBytes, announced), 'temporary');
    throw error;
  }
  if (announced !== undefined && announced !== sizeBytes)
    throw new DownloadError(truncated(sizeBytes, announced), 'temporary');
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** What Node calls a response whose connection ended early, with and without somebody reading at that moment. */
const CUT_SHORT: ReadonlySet<string | undefined> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

function truncated(received: number, announced: number | undefined): string {
  return `the connection ended after ${received} of ${announced ?? 'an unknown number of'} bytes`;
}

function describeNetworkError(error: unknown): string {
  switch (errorCode(error)) {
    case 'ECONNREFUSED':
      return 'the connection was refused';
    case 'ECONNRESET':
      return 'the connection was reset';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name has no address';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the host cannot be reached';
    default:
      return errorText(error);
  }
}
