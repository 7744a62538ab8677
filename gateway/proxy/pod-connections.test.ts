/** The pool's time is that of jest's timers, for it takes no clock; connections are real. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { PodConnection } from '../revision/pod-connection.ts';
import { connectPod } from './pod-connections.ts';

/** How long the pod keeps connections, as it says itself: a runtime two minutes, Node's own servers five seconds. */
const KEPT = [120_000, 5_000];

let server: Server;
let sockets: Socket[];
let pod: PodConnection;

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'clearImmediate', 'queueMicrotask', 'performance'] });
});
afterEach(async () => {
  jest.useRealTimers();
  pod.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function connectTo(keepAliveTimeout: number): Promise<void> {
  sockets = [];
  server = createServer({ keepAliveTimeout }, (_request, response) => response.end('ok'));
  server.on('connection', (socket: Socket) => sockets.push(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const failed = (error: unknown): never => {
    throw error;
  };
  pod = connectPod({ host: '127.0.0.1', ports: { http: port, control: 1 } }, new ManualClock(), failed);
}

/** Resolves once the connection has nothing to do. */
async function ask(): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    pod.http.dispatch(
      { method: 'GET', path: '/' },
      {
        onRequestStart: () => undefined,
        onResponseStart: () => undefined,
        onResponseData: () => undefined,
        onResponseEnd: () => resolve(),
        onResponseError: (_controller, error) => reject(error),
      },
    );
  });
  // The pool looks what there is to do after a turn of the event loop.
  for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
}

test.each(KEPT)(
  'a connection that a pod keeps for %d ms is used again soon, and closed when it was idle',
  async (kept) => {
    await connectTo(kept);
    await ask();
    jest.advanceTimersByTime(2_000);
    await ask();
    expect(sockets).toHaveLength(1);
    const closed = once(sockets[0]!, 'close');
    // The pool counts in steps of half a second.
    jest.advanceTimersByTime(5_000);
    await closed;
    await ask();
    expect(sockets).toHaveLength(2);
  },
);
