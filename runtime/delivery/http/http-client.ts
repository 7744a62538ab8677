/**
 * Requests to servers of models and of credentials: connections are kept and used again, redirects followed within bounds. Headers that identify us go
 * to the origin they are meant for and to no other, wherever a redirect leads.
 */
import { DownloadError, statusError } from '../download-error.ts';
import { Collector } from './collector.ts';
import { Connection, type ConnectionOptions, type HttpRequest, type OnHead } from './connection.ts';
import type { ResponseHead } from './response-head.ts';

/** Headers that identify us, for a request to the origin that they are meant for. */
export type Authorize = (request: {
  readonly method: string;
  readonly url: URL;
}) => Promise<Readonly<Record<string, string>>>;

export interface Target {
  readonly url: URL;
  readonly authorize?: Authorize | undefined;
  /** Asked once about an answer that refuses: true if `url` is now another, which is then tried. */
  readonly onRefusal?: (head: ResponseHead) => boolean;
}

export interface ClientOptions extends ConnectionOptions {
  readonly redirects: number;
}

/** Idle ones that are kept for each origin. */
const MOST_IDLE = 16;

export class HttpClient {
  readonly #options: ClientOptions;
  readonly #idle = new Map<string, Connection[]>();

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /**
   * Gives the head of the first answer that is no redirect, and where it came from. `onHead` is not asked about redirects. Rejects with what it threw,
   * DownloadError, ConnectionError, HttpProtocolError, the socket's error, or the signal's reason.
   */
  async get(
    target: Target,
    headers: Readonly<Record<string, string>>,
    onHead: OnHead,
    signal: AbortSignal,
  ): Promise<{ readonly head: ResponseHead; readonly url: URL }> {
    let { url } = target;
    let isMoved = false;
    for (let redirects = 0; ; redirects += 1) {
      const own = url.origin === target.url.origin ? await target.authorize?.({ method: 'GET', url }) : undefined;
      const answer: { next?: URL; enough?: ResponseHead } = {};
      const sink: OnHead = (head) => {
        if (isRedirect(head)) {
          answer.next = redirected(url, head.headers['location'] ?? '');
        } else if (head.status >= 300 && head.status < 500 && !isMoved && target.onRefusal?.(head) === true) {
          isMoved = true;
          answer.next = target.url;
        }
        if (answer.next !== undefined || head.status >= 400) answer.enough = head;
        return answer.next === undefined ? onHead(head) : discard();
      };
      const request = { method: 'GET', url, headers: { ...headers, ...own } } as const;
      const head = await this.exchange(request, sink, signal).catch((error: unknown) => {
        // The page that explains a refusal or a redirect was too long, or was cut: the head says enough.
        if (answer.enough === undefined || signal.aborted) throw error;
        return answer.enough;
      });
      if (answer.next === undefined) return { head, url };
      if (redirects === this.#options.redirects) throw new DownloadError('it redirects too often', 'lasting');
      url = answer.next;
    }
  }

  /** Collects a short answer. Rejects with DownloadError if its status is not 2xx, or as `get`. */
  async text(
    target: Target,
    headers: Readonly<Record<string, string>>,
    mostBytes: number,
    signal: AbortSignal,
  ): Promise<{ readonly head: ResponseHead; readonly text: string }> {
    const body = new Collector(mostBytes);
    const { head } = await this.get(target, headers, body.onHead, signal);
    if (head.status < 200 || head.status > 299) throw statusError(head.status, body.text);
    return { head, text: body.text };
  }

  /** As `text`, without redirects. */
  async send(request: HttpRequest, mostBytes: number, signal: AbortSignal): Promise<string> {
    const body = new Collector(mostBytes);
    const head = await this.exchange(request, body.onHead, signal);
    if (head.status < 200 || head.status > 299) throw statusError(head.status, body.text);
    return body.text;
  }

  async exchange(request: HttpRequest, onHead: OnHead, signal: AbortSignal): Promise<ResponseHead> {
    const { origin } = request.url;
    const kept = this.#idle.get(origin)?.pop();
    const connection = kept ?? new Connection(request.url, this.#options);
    const head = await connection.exchange(request, onHead, signal);
    const idle = this.#idle.get(origin) ?? [];
    if (connection.isOpen && idle.length < MOST_IDLE) this.#idle.set(origin, [...idle, connection]);
    else connection.close();
    return head;
  }

  close(): void {
    for (const connection of [...this.#idle.values()].flat()) connection.close();
    this.#idle.clear();
  }
}

function isRedirect({ status, headers }: ResponseHead): boolean {
  return status > 300 && status < 400 && status !== 304 && headers['location'] !== undefined;
}

function redirected(from: URL, location: string): URL {
  const next = URL.parse(location, from.href);
  if (next === null || (next.protocol !== 'https:' && next.protocol !== from.protocol)) {
    const allowed = from.protocol === 'https:' ? 'not https' : 'neither https nor http';
    throw new DownloadError(`it redirects to something that is ${allowed}`, 'lasting');
  }
  next.username = '';
  next.password = '';
  next.hash = '';
  return next;
}

/** What nobody reads, but no more of it than a page of explanation: the connection is worth no more. */
function discard(): (bytes: Buffer) => void {
  return new Collector(64 * 1024).onHead();
}
