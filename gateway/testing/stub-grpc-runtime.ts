/** The gRPC port of a runtime for tests: speaks the header contract on bare HTTP/2, and does with each call what the test says. */
import { createServer, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { REQUEST_HEADERS, RESPONSE_HEADERS, type NotAdmitted } from '../../common/wire/headers.ts';
import { Inbox } from './inbox.ts';

export interface GrpcCall {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

export type GrpcBehaviour = (call: GrpcCall, runtime: StubGrpcRuntime) => void;

export class StubGrpcRuntime {
  readonly uid: string;
  behaviour: GrpcBehaviour;
  readonly received = new Inbox<GrpcCall>();
  port = 0;
  count = 0;
  /** Sockets that were accepted, ever. */
  connections = 0;
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #server = createServer({ settings: { maxConcurrentStreams: 1_024 } });
  readonly #sockets = new Set<Socket>();

  private constructor(uid: string, behaviour: GrpcBehaviour) {
    this.uid = uid;
    this.behaviour = behaviour;
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => {
      this.sessions.add(session);
      session.on('close', () => this.sessions.delete(session));
    });
    this.#server.on('stream', (stream, headers) => {
      this.count += 1;
      stream.on('error', () => undefined);
      const call = { stream, headers };
      this.received.put(call);
      this.behaviour(call, this);
    });
  }

  static async start(uid: string, behaviour: GrpcBehaviour = echo): Promise<StubGrpcRuntime> {
    const runtime = new StubGrpcRuntime(uid, behaviour);
    await new Promise<void>((resolve) => runtime.#server.listen(0, '127.0.0.1', resolve));
    runtime.port = (runtime.#server.address() as AddressInfo).port;
    return runtime;
  }

  /** As the kernel does for a process that got SIGKILL. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** The head of an answer; trailers follow when the stream is ended. */
export function begin(
  { stream, headers }: GrpcCall,
  runtime: StubGrpcRuntime,
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  if (headers[REQUEST_HEADERS.tellAdmission] !== undefined) stream.additionalHeaders({ ':status': 102 });
  stream.respond(
    { ':status': 200, 'content-type': 'application/grpc', [RESPONSE_HEADERS.podUid]: runtime.uid },
    { waitForTrailers: true },
  );
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
}

/** Sends every byte back as it comes. */
export const echo: GrpcBehaviour = (call, runtime) => {
  begin(call, runtime);
  call.stream.pipe(call.stream);
};

/** Never answers. */
export const stall: GrpcBehaviour = () => undefined;

/** Dies with the call in it. */
export const die: GrpcBehaviour = (_call, runtime) => {
  runtime.breakConnections();
};

export function fail(status: number, message: string): GrpcBehaviour {
  return ({ stream }, runtime) => {
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        [RESPONSE_HEADERS.podUid]: runtime.uid,
        'grpc-status': String(status),
        'grpc-message': message,
      },
      { endStream: true },
    );
  };
}

export function refuse(reason: NotAdmitted): GrpcBehaviour {
  return ({ stream }, runtime) => {
    stream.respond(
      {
        ':status': 200,
        'content-type': 'application/grpc',
        [RESPONSE_HEADERS.podUid]: runtime.uid,
        [RESPONSE_HEADERS.notAdmitted]: reason,
        'grpc-status': '14',
      },
      { endStream: true },
    );
  };
}
