/** One attempt to fetch one version of an object into an open file: what has come, what is still to come, and the hash that follows. It does not pause. */
import { writeSync } from 'node:fs';
import { DownloadError, statusError } from '../download-error.ts';
import type { BodySink } from '../http/body-decoder.ts';
import { Collector } from '../http/collector.ts';
import type { HttpClient, Target } from '../http/http-client.ts';
import type { ResponseHead } from '../http/response-head.ts';
import { retryAfter } from './back-off.ts';
import { parseContentRange } from './content-range.ts';
import { HashFollower } from './hash-follower.ts';
import { contiguousEnd, splitIntoParts, type Part } from './part.ts';
import { tagOf, unlessUnchanged } from './version-tag.ts';

/** Smaller files are hashed when they are there, in less time than a thread needs to start. */
const FOLLOW_BYTES = 32 * 2 ** 20;
const ADVANCE_BYTES = 4 * 2 ** 20;
const MOST_ERROR_BYTES = 64 * 1024;
/** A body of unknown length takes so much before room is made for it, which is what is kept free anyway. */
const ROOM_BYTES = 64 * 2 ** 20;
/** What came of a part is progress, after which attempts are counted anew, if it is this much. */
export const PROGRESS_BYTES = 64 * 1024;

export interface TransferContext {
  readonly client: HttpClient;
  readonly fd: number;
  readonly partBytes: number;
  readonly maximumBytes: number;
  /** Of what is there already. */
  readonly knownTag: string | undefined;
  /** The size as soon as it is known, and how much of it is on the disk; where the server does not say, what has come, again and again. */
  readonly onSize: (bytes: number, written: number) => void;
}

export class Transfer {
  readonly #target: Target;
  readonly #context: TransferContext;
  /** Where a redirect led: it need not be asked anew for each part. */
  #resolved: Target;
  #parts: Part[] = [];
  /** The server's name for the version; undefined where it gives none. */
  tag: string | undefined;
  /** The server sends parts, so that there can be several at once, and a cut one can be resumed. */
  isRanged = false;
  isUnchanged = false;
  #hash: HashFollower | undefined;
  /** How much of it the hash was told of, and what has come since. */
  #hashed = 0;
  #unhashed = 0;
  /** How much of a body of unknown length has been announced. */
  #roomFor = 0;

  constructor(target: Target, context: TransferContext) {
    this.#target = target;
    this.#resolved = target;
    this.#context = context;
  }

  /** Those after the first, once its head has come. */
  get parts(): readonly Part[] {
    return this.#parts;
  }

  /** The first part: its answer says how many there are. `onParts` is called as soon as that is known. */
  async begin(signal: AbortSignal, onParts: () => void): Promise<Part> {
    const first: Part = { start: 0, end: this.#context.partBytes, received: 0 };
    this.#parts = [first];
    await this.#get(first, signal, (head) => {
      this.#learn(head, first);
      onParts();
    });
    return first;
  }

  /** What is still to come of a part. Rejects as HttpClient.get does; what came before is kept. */
  async fetch(part: Part, signal: AbortSignal): Promise<void> {
    // A server may send less than it was asked for, but not so little that the rest would take for ever.
    for (let before = -PROGRESS_BYTES; part.start + part.received < part.end; before = part.received) {
      if (part.received - before < PROGRESS_BYTES) {
        throw new DownloadError('the server sent next to nothing of a part', 'temporary');
      }
      await this.#get(part, signal, (head) => {
        this.#check(head, part);
      });
    }
  }

  /** Lower-case hexadecimal; undefined if the file is short and has not been hashed. */
  async digest(): Promise<string | undefined> {
    return this.#hash?.digest(contiguousEnd(this.#parts));
  }

  async close(): Promise<void> {
    await this.#hash?.close();
  }

  async #get(part: Part, signal: AbortSignal, onHead: (head: ResponseHead) => void): Promise<void> {
    const { client, knownTag } = this.#context;
    const headers: Record<string, string> = { range: `bytes=${part.start + part.received}-${part.end - 1}` };
    if (this.tag === undefined) {
      if (knownTag !== undefined) Object.assign(headers, unlessUnchanged(knownTag));
    } else if (!this.tag.startsWith('W/')) {
      headers['if-range'] = this.tag;
    }
    const errorBody = new Collector(MOST_ERROR_BYTES);
    const from = this.#resolved;
    const { head, url } = await client.get(
      from,
      headers,
      (answer) => {
        if (answer.status !== 200 && answer.status !== 206) return errorBody.onHead();
        onHead(answer);
        return this.#sink(part);
      },
      signal,
    );
    if (head.status === 200 || head.status === 206) {
      if (url.href !== from.url.href) {
        const isHome = url.origin === this.#target.url.origin;
        this.#resolved = isHome ? { ...this.#target, url } : { url };
      }
      return;
    }
    if (head.status === 304 && knownTag !== undefined && this.tag === undefined) {
      this.isUnchanged = true;
      return;
    }
    if (head.status === 412 || head.status === 416) {
      if (head.headers['content-range'] === 'bytes */0') throw new DownloadError('it is empty', 'lasting');
      throw changed();
    }
    // A signed address that a redirect led to has a short life: the next attempt asks for another.
    if ((head.status === 401 || head.status === 403) && from !== this.#target) {
      this.#resolved = this.#target;
      throw new DownloadError(`the server answered ${head.status} to a part`, 'temporary');
    }
    throw statusError(head.status, errorBody.text, retryAfter(head));
  }

  /** What the first answer says of the whole. */
  #learn(head: ResponseHead, first: Part): void {
    requirePlain(head);
    const total = head.status === 206 ? requireRange(head, first).total : lengthOf(head);
    if (total === 0) throw new DownloadError('it is empty', 'lasting');
    if (total !== undefined && total > this.#context.maximumBytes) throw this.#tooLarge();
    // A body that ends with its connection may have been cut: what came of it must not count as this version at the next start.
    if (total !== undefined || head.headers['transfer-encoding'] !== undefined) this.tag = tagOf(head);
    this.isRanged = head.status === 206;
    first.end = Math.min(this.isRanged ? first.end : Infinity, total ?? Infinity);
    if (total === undefined) return;
    this.#parts = [first, ...splitIntoParts(first.end, total, this.#context.partBytes)];
    this.#context.onSize(total, 0);
    if (total > FOLLOW_BYTES) this.#follow();
  }

  #check(head: ResponseHead, part: Part): void {
    requirePlain(head);
    if (tagOf(head) !== this.tag) throw changed();
    if (head.status === 200) throw new DownloadError('the server sent all of it where a part was asked for', 'lasting');
    const { total } = requireRange(head, part);
    if (total !== this.#parts.at(-1)?.end) throw changed();
  }

  #sink(part: Part): BodySink {
    const { fd, maximumBytes } = this.#context;
    return (bytes) => {
      let position = part.start + part.received;
      if (position + bytes.byteLength > maximumBytes) throw this.#tooLarge();
      if (position + bytes.byteLength > part.end) {
        throw new DownloadError('the server sent more than the part that it was asked for', 'lasting');
      }
      for (let written = 0; written < bytes.byteLength;) {
        written += writeSync(fd, bytes, written, bytes.byteLength - written, position + written);
      }
      position += bytes.byteLength;
      part.received = position - part.start;
      if (part.end === Infinity) {
        if (position > FOLLOW_BYTES) this.#follow();
        if (position >= this.#roomFor + ROOM_BYTES) this.#askForRoom(position);
      }
      this.#advance(bytes.byteLength);
    };
  }

  /** A body of unknown length has ended: that was all. */
  settle(part: Part): void {
    if (part.end !== Infinity) return;
    part.end = part.start + part.received;
    this.#askForRoom(part.end);
  }

  #askForRoom(position: number): void {
    this.#roomFor = position;
    this.#context.onSize(position, position);
  }

  #advance(bytes: number): void {
    this.#unhashed += bytes;
    if (this.#hash === undefined || this.#unhashed < ADVANCE_BYTES) return;
    this.#unhashed = 0;
    const end = contiguousEnd(this.#parts);
    if (end === this.#hashed) return;
    this.#hashed = end;
    this.#hash.advance(end);
  }

  #follow(): void {
    this.#hash ??= new HashFollower(this.#context.fd);
  }

  #tooLarge(): DownloadError {
    return new DownloadError(
      `it is larger than the ${this.#context.maximumBytes} bytes that a model may take (PILOTLIGHT_MODEL_CACHE_BYTES)`,
      'lasting',
    );
  }
}

function requirePlain({ headers }: ResponseHead): void {
  const coding = headers['content-encoding'] ?? 'identity';
  if (coding === 'identity') return;
  throw new DownloadError(
    `it is compressed (content-encoding ${coding.slice(0, 32)}) although that was not asked for`,
    'lasting',
  );
}

function requireRange(head: ResponseHead, part: Part): { readonly total: number } {
  const range = parseContentRange(head.headers['content-range']);
  const wanted = part.start + part.received;
  const length = lengthOf(head) ?? (range === undefined ? 0 : range.end - range.start);
  if (range?.start === wanted && range.end <= part.end && length === range.end - range.start) return range;
  throw new DownloadError(`the server sent another range than bytes ${wanted} to ${part.end - 1}`, 'lasting');
}

/** Of the body; undefined if the server does not say. */
function lengthOf({ headers }: ResponseHead): number | undefined {
  const length = headers['content-length'];
  return length === undefined ? undefined : Number(length);
}

function changed(): DownloadError {
  return new DownloadError('it changed while it was fetched', 'changed');
}
