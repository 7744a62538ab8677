/** The real PodConnection: a pool of HTTP/1.1 connections to a pod's HTTP port, and one by HTTP/2 to its gRPC port when a call wants it. */
import { Pool } from 'undici';
import type { PodAddress } from '../../common/wire/announcement.ts';
import type { Clock } from '../../common/platform/clock.ts';
import type { PodConnection } from '../revision/pod-connection.ts';
import { CONNECT_MILLISECONDS, dial, KEEP_ALIVE_MILLISECONDS } from './dial.ts';
import { Http2Connection } from './http2-connection.ts';
import { PodReach } from './pod-reach.ts';

/**
 * Below Node's keep-alive timeout for servers (5 s), so that no request is written to a connection that the pod is closing, and short enough that one to a node that
 * is gone is not met for long: also where the pod says in `keep-alive` that it keeps connections for longer, as a runtime does.
 */
const IDLE_MILLISECONDS = 4_000;

/** `onClosed` is called with a failure to close, which can only be a defect. */
export function connectPod(
  { host, ports }: PodAddress,
  clock: Clock,
  onFailure: (error: unknown) => void,
): PodConnection {
  const origin = `http://${host.includes(':') ? `[${host}]` : host}:${ports.http}`;
  // Time limits of the answer are the attempt's own; the pool's would cut long inference.
  const pool = new Pool(origin, {
    pipelining: 1,
    connect: { timeout: CONNECT_MILLISECONDS, keepAliveInitialDelay: KEEP_ALIVE_MILLISECONDS },
    keepAliveTimeout: IDLE_MILLISECONDS,
    keepAliveMaxTimeout: IDLE_MILLISECONDS,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const grpc = ports.grpc === undefined ? undefined : new Http2Connection(host, ports.grpc, clock);
  const reach = new PodReach(clock, () => dial(host, ports.http));
  return {
    http: {
      dispatch: (options, handler) => void pool.dispatch(options, handler),
      isLost: () => reach.isLost(),
    },
    grpc,
    close: () => {
      grpc?.close();
      pool.close().catch(onFailure);
    },
  };
}
