/**
 * Stands between the adapter and an API server, and does to each request what a test says: everything that a network, a load balancer or an overloaded
 * API server does to its clients. It forwards with the credentials of a kubeconfig, so a real API server will do. Only for tests.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { wait, type Clock } from '../../../../common/platform/clock.ts';
import { loadAccess } from '../access.ts';

export interface RelayedRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly isWatch: boolean;
}

export type RelayFault =
  /** The connection is reset before anything is forwarded. */
  | { readonly type: 'Reset' }
  /** What was asked is done, and nobody hears of it. */
  | { readonly type: 'AnswerLost' }
  | {
      readonly type: 'Answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: object;
    }
  | { readonly type: 'Delayed'; readonly milliseconds: number }
  /** The connection is reset after so many bytes of the answer's body. */
  | { readonly type: 'Cut'; readonly afterBytes: number }
  /** Nothing is answered, and the connection stands. */
  | { readonly type: 'Hung' };

export interface FaultingRelay {
  readonly kubeconfigPath: string;
  /** Those that came since the last `forget`, in order. */
  readonly requests: readonly RelayedRequest[];
  forget(): void;
  /** Calls that were passed on and are not answered yet; no watches. */
  readonly underWay: number;
  /** Decides about each request from now on. */
  fault: (request: RelayedRequest) => RelayFault | undefined;
  /** Until it is opened again, connections are refused, and those that stand are reset. */
  shut(): Promise<void>;
  open(): Promise<void>;
  readonly isOpen: boolean;
  /** Resets what stands. */
  cut(): void;
  /** Of the answers that are on their way nothing more passes, and none ends: the other side is gone without a word. */
  silence(): void;
  close(): Promise<void>;
}

/**
 * @param upstream a kubeconfig, or the address of an API server that asks for no credentials
 * @param clock of the delays
 */
export async function startFaultingRelay(
  upstream: { readonly kubeconfigPath: string } | { readonly url: string },
  clock: Clock,
): Promise<FaultingRelay> {
  const access = 'url' in upstream ? undefined : loadAccess(upstream.kubeconfigPath);
  const base = 'url' in upstream ? upstream.url : (access?.server ?? '');
  const dispatcher = await dispatcherOf(access);
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-relay-'));
  const sockets = new Set<Socket>();
  const requests: RelayedRequest[] = [];
  let port = 0;
  let silences = 0;
  let underWay = 0;

  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const relayed = { method: request.method ?? '', path, isWatch: path.includes('watch=true') };
    requests.push(relayed);
    // A client that left is no error here.
    forward(request, response, relay.fault(relayed)).catch(() => response.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = (): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));

  async function forward(request: IncomingMessage, response: ServerResponse, fault?: RelayFault): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (fault?.type === 'Hung') return;
    if (fault?.type === 'Reset') return void request.socket.resetAndDestroy();
    if (fault?.type === 'Answer') {
      response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
      return void response.end(JSON.stringify(fault.body ?? { kind: 'Status', code: fault.status }));
    }
    if (fault?.type === 'Delayed') await wait(clock, fault.milliseconds);
    const { headers = {} } = (await access?.authorize()) ?? {};
    const leaving = new AbortController();
    const isCall = request.url?.includes('watch=true') !== true;
    if (isCall) underWay += 1;
    response.on('close', () => {
      leaving.abort();
      if (isCall) underWay -= 1;
    });
    const contentType = request.headers['content-type'];
    const answer = await dispatcher.request({
      origin: new URL(base).origin,
      path: `${new URL(base).pathname.replace(/\/$/, '')}${request.url ?? '/'}`,
      method: request.method ?? 'GET',
      headers: {
        ...headers,
        accept: 'application/json',
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      body: chunks.length === 0 ? null : Buffer.concat(chunks),
      signal: leaving.signal,
      bodyTimeout: 0,
    });
    if (fault?.type === 'AnswerLost') {
      await answer.body.dump();
      return void request.socket.resetAndDestroy();
    }
    const date = String(answer.headers['date']);
    response.writeHead(answer.statusCode, { 'content-type': 'application/json', date }).flushHeaders();
    const silence = silences;
    let left = fault?.type === 'Cut' ? fault.afterBytes : Infinity;
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      if (silence !== silences) continue;
      response.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left > 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      return void request.socket.resetAndDestroy();
    }
    if (silence === silences) response.end();
  }

  const relay: FaultingRelay = {
    kubeconfigPath: join(folder, 'kubeconfig'),
    requests,
    get underWay() {
      return underWay;
    },
    forget: () => {
      requests.length = 0;
    },
    fault: () => undefined,
    silence: () => {
      silences += 1;
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    shut: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      relay.cut();
      await closed;
    },
    open: listen,
    get isOpen() {
      return server.listening;
    },
    close: async () => {
      if (server.listening) await relay.shut();
      await dispatcher.destroy();
      await rm(folder, { recursive: true });
    },
  };
  await listen();
  ({ port } = server.address() as AddressInfo);
  const config = {
    'current-context': 'relay',
    contexts: [{ name: 'relay', context: { cluster: 'relay', user: 'relay' } }],
    clusters: [{ name: 'relay', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'relay', user: {} }],
  };
  await writeFile(relay.kubeconfigPath, JSON.stringify(config));
  return relay;
}

async function dispatcherOf(access: ReturnType<typeof loadAccess> | undefined): Promise<Agent> {
  const options = (await access?.authorize())?.dispatcher;
  const connect = options?.type === 'agent' ? (options.connect as Agent.Options['connect'] & object) : {};
  return new Agent({ connect, allowH2: false, headersTimeout: 0 });
}
