/**
 * Fetches one object into a file: in parts by several connections at once where the server can do that, hashed on the way, each part resumed after a cut.
 * A file that changes meanwhile is fetched anew, never put together from two versions.
 */
import { open, rm } from 'node:fs/promises';
import { wait, type Clock } from '../../../common/platform/clock.ts';
import { DownloadError, toDownloadError } from '../download-error.ts';
import { hashFile, type FileDigest } from '../hash-file.ts';
import type { HttpClient, Target } from '../http/http-client.ts';
import { MOST_ATTEMPTS, pauseAfter } from './back-off.ts';
import type { Part } from './part.ts';
import { patiently } from './patiently.ts';
import { PROGRESS_BYTES, Transfer } from './transfer.ts';

export interface TransferLimits {
  /** Bytes of one request, and how many there are at once: docs/how-to/models.md has what was measured. */
  readonly partBytes: number;
  readonly parallel: number;
}

export const TRANSFER_LIMITS: TransferLimits = { partBytes: 8 * 2 ** 20, parallel: 16 };

export interface DownloadOptions {
  readonly client: HttpClient;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly limits: TransferLimits;
  readonly maximumBytes: number;
  /** Called once the size is known, or as it grows, with how much of it is on the disk; the download fails as this does. */
  readonly makeRoom: (bytes: number, written: number) => Promise<void>;
  /** Of what is there already. */
  readonly knownTag?: string | undefined;
}

export interface Downloaded extends FileDigest {
  /** The server's name for this version, if it gives one. */
  readonly tag: string | undefined;
}

/**
 * A server that begins to answer sooner is on this machine or beside it: a few connections fill the wire. More would only spread what comes over more parts,
 * and the hash, which goes from the front to the back, would have the more to do at the end (a sixth of the time, at 1 GB/s).
 */
const NEAR_MILLISECONDS = 5;
const NEAR_CONNECTIONS = 4;

/**
 * Undefined if the server still has the version of `knownTag`. Rejects with DownloadError, with what makeRoom rejects with, or with the signal's reason.
 * There must be nothing at `path`; without a download there is nothing either.
 */
export async function downloadObject(
  target: Target,
  path: string,
  options: DownloadOptions,
): Promise<Downloaded | undefined> {
  const once = async (): Promise<Downloaded | undefined> => {
    try {
      const downloaded = await attempt(target, path, options);
      if (downloaded === undefined) await rm(path, { force: true });
      return downloaded;
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  };
  return patiently(once, options, (kind) => kind === 'temporary' || kind === 'changed');
}

async function attempt(target: Target, path: string, options: DownloadOptions): Promise<Downloaded | undefined> {
  const { client, clock, limits, maximumBytes, knownTag, makeRoom } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const work: Promise<void>[] = [];
  let failure: { readonly error: unknown } | undefined;
  /** The first failure stops all, but all have ended before it is passed on: none may write to a closed file. */
  const begin = (task: Promise<void>): void => {
    work.push(
      task.catch((error: unknown) => {
        failure ??= { error };
        stop.abort();
      }),
    );
  };
  await using file = await open(path, 'wx+');
  const onSize = (bytes: number, written: number): void => begin(makeRoom(bytes, written));
  const context = { client, fd: file.fd, partBytes: limits.partBytes, maximumBytes, knownTag, onSize };
  const transfer = new Transfer(target, context);
  try {
    let next = 1;
    const takeParts = async (): Promise<void> => {
      for (let part = transfer.parts[next++]; part !== undefined; part = transfer.parts[next++]) {
        await fetchPart(part, transfer, { ...options, signal });
      }
    };
    const begun = clock.monotonic();
    const takeFirst = async (): Promise<void> => {
      try {
        transfer.settle(
          await transfer.begin(signal, () => {
            const latency = clock.monotonic() - begun;
            const connections =
              latency < NEAR_MILLISECONDS ? Math.min(NEAR_CONNECTIONS, limits.parallel) : limits.parallel;
            const helpers = Math.min(connections, transfer.parts.length) - 1;
            for (let index = 0; index < helpers; index += 1) begin(takeParts());
          }),
        );
      } catch (error) {
        const first = transfer.parts[0];
        if (!transfer.isRanged || first === undefined || signal.aborted) throw toDownloadError(error);
      }
      if (transfer.isUnchanged) return;
      const [first] = transfer.parts;
      if (first !== undefined) await fetchPart(first, transfer, { ...options, signal });
      await takeParts();
    };
    begin(takeFirst());
    // Grows while it is waited for.
    for (const task of work) await task;
    options.signal.throwIfAborted();
    if (failure !== undefined) throw failure.error;
    if (transfer.isUnchanged) return undefined;
    const sizeBytes = transfer.parts.at(-1)?.end ?? 0;
    if (sizeBytes === 0) throw new DownloadError('it is empty', 'lasting');
    const sha256 = (await transfer.digest()) ?? (await hashFile(path, options.signal)).sha256;
    return { sha256, sizeBytes, tag: transfer.tag };
  } finally {
    stop.abort();
    await transfer.close();
  }
}

/** Resumes the part after what is temporary, unless nothing comes any more. */
async function fetchPart(part: Part, transfer: Transfer, { clock, random, signal }: DownloadOptions): Promise<void> {
  let failures = 0;
  for (;;) {
    const before = part.received;
    try {
      await transfer.fetch(part, signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const problem = toDownloadError(error);
      if (problem.kind !== 'temporary') throw problem;
      failures = part.received - before >= PROGRESS_BYTES ? 1 : failures + 1;
      const pause = pauseAfter(failures, random(), problem.pauseMilliseconds);
      if (pause === undefined) {
        throw new DownloadError(
          `${problem.message} after ${part.start + part.received} bytes (${MOST_ATTEMPTS} attempts)`,
          'lasting',
        );
      }
      await wait(clock, pause, signal);
    }
  }
}
