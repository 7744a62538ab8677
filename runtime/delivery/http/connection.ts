/**
 * One connection to one server: requests go out one after the other, bodies come in as views into one buffer that is used again and again. Node's own
 * client makes a Buffer of 64 KiB for each read, which holds a download on one core to 0.7 GB/s; this reaches 2.4 (loopback, written to a file).
 * It knows no redirects, credentials or retries.
 */
import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import { Deadline, type DeadlineLimits } from '../deadline.ts';
import type { Clock } from '../../../common/platform/clock.ts';
import { bodyDecoder, type BodyDecoder, type BodySink } from './body-decoder.ts';
import {
  bodyFraming,
  MOST_HEAD_BYTES,
  parseResponseHead,
  HttpProtocolError,
  type ResponseHead,
} from './response-head.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly limits: DeadlineLimits;
  /** Certificates in PEM that are trusted besides those Node knows. */
  readonly authorities?: string | undefined;
}

/** The server broke off, or the deadline passed. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Chooses by the head what takes the body; what it throws ends the exchange. */
export type OnHead = (head: ResponseHead) => BodySink;

/** Less costs speed (64 KiB: a third), more gains none. */
const BUFFER_BYTES = 256 * 1024;

interface Exchange {
  readonly onHead: OnHead;
  readonly deadline: Deadline;
  readonly resolve: (head: ResponseHead) => void;
  readonly reject: (error: unknown) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #origin: URL;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  #headBytes = Buffer.alloc(0);
  /** Of heads that only announced another. */
  #passedBytes = 0;
  #head: ResponseHead | undefined;
  #decoder: BodyDecoder | undefined;
  /** Waits for the connection. */
  #pending: string | undefined;

  constructor(origin: URL, options: ConnectionOptions) {
    this.#origin = origin;
    this.#options = options;
  }

  /** Whether another request may follow. */
  get isOpen(): boolean {
    return this.#socket !== undefined;
  }

  /** Resolves when the body has ended. Rejects with what a callback threw, with the signal's reason, HttpProtocolError, ConnectionError or the socket's error. */
  async exchange(request: HttpRequest, onHead: OnHead, signal: AbortSignal): Promise<ResponseHead> {
    signal.throwIfAborted();
    const text = requestText(request);
    const deadline = new Deadline(this.#options.clock, this.#options.limits, signal);
    const abort = (): void => {
      this.#fail(deadline.expired === undefined ? signal.reason : new ConnectionError(deadline.expired));
    };
    try {
      return await new Promise<ResponseHead>((resolve, reject) => {
        this.#exchange = { onHead, deadline, resolve, reject };
        deadline.signal.addEventListener('abort', abort, { once: true });
        if (this.#socket === undefined) {
          deadline.connecting(this.#origin.host);
          this.#connect().catch((error: unknown) => {
            this.#fail(error);
          });
        } else {
          deadline.progress();
        }
        this.#headBytes = Buffer.alloc(0);
        this.#passedBytes = 0;
        this.#head = undefined;
        this.#decoder = undefined;
        this.#pending = text;
        this.#send();
      });
    } finally {
      deadline.signal.removeEventListener('abort', abort);
      deadline.close();
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #send(): void {
    if (this.#socket === undefined || this.#pending === undefined) return;
    // As heads are read: an ETag goes back as the bytes that came.
    this.#socket.write(this.#pending, 'latin1');
    this.#pending = undefined;
  }

  async #connect(): Promise<void> {
    const { protocol, hostname, port } = this.#origin;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (length, buffer) => {
        this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, length));
        return true;
      },
    };
    if (protocol !== 'https:') {
      this.#attach(connectPlain({ host, port: Number(port || 80), onread, noDelay: true }), 'connect');
      return;
    }
    const { connect, getCACertificates } = await import('node:tls');
    if (this.#exchange === undefined) return;
    const { authorities } = this.#options;
    const options = {
      host,
      port: Number(port || 443),
      onread,
      noDelay: true,
      ALPNProtocols: ['http/1.1'],
      ...(isIP(host) === 0 && { servername: host }),
      ...(authorities !== undefined && { ca: [...getCACertificates('default'), authorities] }),
    };
    this.#attach(connect(options), 'secureConnect');
  }

  #attach(socket: Socket, ready: 'connect' | 'secureConnect'): void {
    this.#socket = socket;
    socket.once(ready, () => this.#exchange?.deadline.progress());
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#ended(socket));
    socket.on('end', () => this.#ended(socket));
    this.#send();
  }

  #ended(socket: Socket): void {
    if (this.#socket !== socket) return;
    const { resolve } = this.#exchange ?? {};
    const head = this.#head;
    if (this.#decoder?.mayEnd === true && resolve !== undefined && head !== undefined) {
      this.#exchange = undefined;
      this.close();
      resolve(head);
      return;
    }
    this.#fail(new ConnectionError('the connection ended early'));
  }

  #receive(bytes: Buffer): void {
    const exchange = this.#exchange;
    // Bytes that nobody asked for.
    if (exchange === undefined) {
      this.close();
      return;
    }
    try {
      exchange.deadline.received(bytes.byteLength);
      const rest = this.#decoder === undefined ? this.#readHead(bytes, exchange.onHead) : bytes;
      if (rest === undefined || this.#decoder?.push(rest) !== true) return;
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#exchange = undefined;
    const head = this.#head;
    if (head === undefined) return;
    if (!head.keepAlive) this.close();
    exchange.resolve(head);
  }

  /** What follows the head, once it is whole. Heads that only announce another (status 1xx) are passed over. */
  #readHead(bytes: Buffer, onHead: OnHead): Buffer | undefined {
    let rest = this.#headBytes.byteLength === 0 ? bytes : Buffer.concat([this.#headBytes, bytes]);
    for (;;) {
      const end = rest.indexOf('\r\n\r\n');
      if (this.#passedBytes + (end === -1 ? rest.byteLength : end) > MOST_HEAD_BYTES) {
        throw new HttpProtocolError('the server sent headers without end');
      }
      if (end === -1) {
        this.#headBytes = Buffer.from(rest);
        return undefined;
      }
      const head = parseResponseHead(rest.toString('latin1', 0, end));
      rest = rest.subarray(end + 4);
      if (head.status < 200) {
        this.#passedBytes += end + 4;
        continue;
      }
      const framing = bodyFraming(head);
      this.#head = { ...head, keepAlive: head.keepAlive && framing.kind !== 'close' };
      this.#decoder = bodyDecoder(framing, onHead(this.#head));
      return rest;
    }
  }

  #fail(error: unknown): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.close();
    exchange?.reject(error);
  }
}

function requestText({ method, url, headers, body }: HttpRequest): string {
  const fields: Record<string, string> = {
    host: url.host,
    'user-agent': 'pilotlight',
    accept: '*/*',
    'accept-encoding': 'identity',
    ...headers,
    ...(method !== 'GET' && { 'content-length': String(Buffer.byteLength(body ?? '')) }),
  };
  const lines = Object.entries(fields).map(([name, value]) => {
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
      throw new HttpProtocolError(`the header ${name} has a character that none may have`);
    return `${name}: ${value}\r\n`;
  });
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`;
}
