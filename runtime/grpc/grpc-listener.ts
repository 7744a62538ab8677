/**
 * The gRPC port. Until somebody connects it is a bare socket: what speaks gRPC is loaded for the first connection, and not before the model is warm, so
 * that it costs a start nothing.
 */
import { createServer } from 'node:net';
import { listen } from '../server/listen.ts';
import type { GrpcServer, GrpcServerOptions } from './grpc-server.ts';

/** Gateways have one each. */
const MOST_CONNECTIONS = 1_024;

export interface GrpcListenerOptions extends GrpcServerOptions {
  readonly port: number;
  readonly host: string | undefined;
  /** Resolves when the model is warm; connections wait for it. */
  readonly warm: Promise<unknown>;
}

export interface GrpcListener {
  readonly port: number;
  endStreams(): void;
  close(): Promise<void>;
}

/** Rejects if the port cannot be had. */
export async function startGrpcListener(options: GrpcListenerOptions): Promise<GrpcListener> {
  const { warm, logger } = options;
  let server: GrpcServer | undefined;
  let loading: Promise<GrpcServer> | undefined;
  let isEnding = false;
  const load = async (): Promise<GrpcServer> => {
    await warm;
    const { createGrpcServer } = await import('./grpc-server.ts');
    server = createGrpcServer(options);
    if (isEnding) server.endStreams();
    return server;
  };
  const listener = createServer({ noDelay: true }, (socket) => {
    if (server !== undefined) return server.accept(socket);
    const destroy = (): void => {
      socket.destroy();
    };
    socket.on('error', destroy);
    loading ??= load();
    loading.then(
      (loaded) => {
        socket.off('error', destroy);
        if (!socket.destroyed) loaded.accept(socket);
      },
      (error: unknown) => {
        logger.debug({ err: error }, 'No gRPC server was loaded');
        destroy();
      },
    );
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  listener.maxConnections = MOST_CONNECTIONS;
  /** Of connections that came before the server was loaded. */
  const sockets = new Set<{ destroy(): void }>();
  const port = await listen(listener, options.port, options.host);
  return {
    port,
    endStreams() {
      isEnding = true;
      server?.endStreams();
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => {
          resolve();
        });
        server?.close();
        for (const socket of sockets) socket.destroy();
      }),
  };
}
