/** A runtime for tests: speaks the header contract, and does with each request what the test says. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PodRoute } from '../../common/wire/routes.ts';
import { NOT_ADMITTED, REQUEST_HEADERS, RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import { listen } from '../listen.ts';
import { Inbox } from './inbox.ts';

export interface Received {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

export type Behaviour = (received: Received, runtime: StubRuntime) => void;

export class StubRuntime {
  readonly uid: string;
  readonly name: string;
  behaviour: Behaviour;
  /** Every request, as it comes in. */
  readonly received = new Inbox<Received>();
  count = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(uid: string, behaviour: Behaviour) {
    this.uid = uid;
    this.name = `pod-${uid}`;
    this.behaviour = behaviour;
    this.#server = createServer((request, response) => {
      this.count += 1;
      const received = { request, response };
      this.received.put(received);
      if (request.headers[REQUEST_HEADERS.tellAdmission] !== undefined && !refusing.has(this.behaviour)) {
        response.writeProcessing();
      }
      this.behaviour(received, this);
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(uid: string, behaviour: Behaviour = answerOk): Promise<StubRuntime> {
    const runtime = new StubRuntime(uid, behaviour);
    runtime.#port = await listen(runtime.#server, 0, '127.0.0.1');
    return runtime;
  }

  get ports(): { readonly http: number; readonly control: number } {
    return { http: this.#port, control: 1 };
  }

  route(state: PodRoute['state'] = 'Ready'): PodRoute {
    return { name: this.name, uid: this.uid, state, host: '127.0.0.1', ports: this.ports };
  }

  /** Breaks every connection, as the kernel does for a process that got SIGKILL. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Says nothing from now on, and cannot be connected to: as if its node were gone, except that a connection to it is refused. */
  vanish(): void {
    this.behaviour = stall;
    this.#server.close();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** 200 with a JSON account of what came in. */
export const answerOk: Behaviour = ({ request, response }, runtime) => {
  let bytes = 0;
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes < 1024) chunks.push(chunk);
  });
  request.on('end', () => {
    const { method, url, headers } = request;
    const body = JSON.stringify({
      pod: runtime.uid,
      method,
      url,
      headers,
      bytes,
      text: Buffer.concat(chunks).toString(),
    });
    response.writeHead(200, { [RESPONSE_HEADERS.podUid]: runtime.uid, 'content-type': 'application/json' }).end(body);
  });
};

/** Never answers. */
export const stall: Behaviour = () => undefined;

/** Dies with the request in it. */
export const die: Behaviour = (_received, runtime) => {
  runtime.breakConnections();
};

/** Behaviours that do not say that they admit a request. */
const refusing = new WeakSet<Behaviour>();

export function withoutAdmission(behaviour: Behaviour): Behaviour {
  refusing.add(behaviour);
  return behaviour;
}

export function refuse(reason: NotAdmitted, uid?: string): Behaviour {
  return withoutAdmission(({ request, response }, runtime) => {
    request.resume();
    response
      .writeHead(NOT_ADMITTED[reason], {
        [RESPONSE_HEADERS.podUid]: uid ?? runtime.uid,
        [RESPONSE_HEADERS.notAdmitted]: reason,
      })
      .end();
  });
}
