/** Pods that accept a connection and then answer with what is no answer, or with nothing. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PodRoute } from '../common/wire/routes.ts';
import { call } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { GrpcClient } from './testing/grpc-client.ts';
import { StubGrpcRuntime } from './testing/stub-grpc-runtime.ts';

let gateway: GatewayFixture;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  gateway = await GatewayFixture.start();
  // The first pod is asked first.
  gateway.random = () => 0;
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await gateway.close();
});

interface Strange {
  readonly port: number;
  readonly server: Server;
  connections: number;
}

/** Does this with the bytes of each request. */
async function strange(onData: (socket: Socket, count: number) => void): Promise<Strange> {
  const server = createServer((socket) => {
    pod.connections += 1;
    closing.push(() => socket.destroy());
    socket.on('error', () => undefined);
    let count = 0;
    socket.on('data', () => onData(socket, ++count));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => server.close());
  const pod = { port: (server.address() as AddressInfo).port, server, connections: 0 };
  return pod;
}

const HEAD = 'HTTP/1.1 200 OK\r\npilotlight-pod-uid: strange\r\n';

/** A strange pod and one in good order, which is asked when that one failed. */
async function serve(port: number, grpcPort = 1): Promise<void> {
  const well = await gateway.runtime('well');
  const grpc = await StubGrpcRuntime.start('well');
  closing.push(() => grpc.close());
  const first: PodRoute = {
    name: 'pod-strange',
    uid: 'strange',
    state: 'Ready',
    host: '127.0.0.1',
    ports: { http: port, grpc: grpcPort, control: 1 },
  };
  const second = well.route();
  const pods = [first, { ...second, ports: { ...second.ports, grpc: grpc.port } }];
  await gateway.leader([functionRoute({ revisions: [revisionRoute(pods)] })]);
}

describe('a request whose pod', () => {
  test.each<[string, string | Buffer]>([
    ['speaks no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['answers with zeros', Buffer.alloc(100_000)],
    ['answers a status that there is not', 'HTTP/1.1 20 OK\r\n\r\n'],
    [
      'answers with both a length and chunks',
      `${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['answers with two lengths', `${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\nabc`],
    ['answers with a head that does not end', `${HEAD}${'x: y\r\n'.repeat(20_000)}`],
    ['answers HTTP/2', Buffer.from('000000040000000000', 'hex')],
    ['ends the connection', ''],
  ])('%s goes to another one', async (_what, bytes) => {
    const pod = await strange((socket) => socket.end(bytes));
    await serve(pod.port);
    expect(await call(gateway.ports.http, { body: 'x' })).toMatchObject({
      status: 200,
      text: expect.stringContaining('"pod":"well"'),
    });
    expect(pod.connections).toBe(1);
    await gateway.inFlight(0);
  });

  test.each([
    ['in the middle of its chunks', `${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nbody\r\nXX\r\n`],
    ['with fewer bytes than its length', `${HEAD}content-length: 9\r\n\r\nbody`],
  ])('breaks its answer off %s is not told that it is whole', async (_what, bytes) => {
    const pod = await strange((socket) => socket.end(bytes));
    await serve(pod.port);
    await expect(call(gateway.ports.http, { body: 'x' })).rejects.toThrow('aborted');
    await gateway.inFlight(0);
  });

  test('answers twice gets the first answer, and the next request never the second', async () => {
    const answer = (text: string): string => `${HEAD}content-length: ${text.length}\r\n\r\n${text}`;
    const pod = await strange((socket, count) => socket.write(answer(`own-${count}`) + answer('poison')));
    await serve(pod.port);
    const texts: string[] = [];
    for (let at = 0; at < 5; at += 1) texts.push((await call(gateway.ports.http, { body: 'x' })).text);
    expect(texts[0]).toBe('own-1');
    expect(texts.join()).not.toContain('poison');
  });

  test('says nothing gets 504 in time, and the next one goes to another pod', async () => {
    const pod = await strange(() => undefined);
    await serve(pod.port);
    const answer = call(gateway.ports.http, { body: 'x' });
    await once(pod.server, 'connection');
    await gateway.inFlight(1);
    const progress = { isDone: false };
    void answer.finally(() => (progress.isDone = true));
    while (!progress.isDone) await gateway.clock.advance(1_000);
    expect((await answer).status).toBe(504);
    expect(gateway.clock.monotonic()).toBeLessThan(70_000);
    expect((await call(gateway.ports.http, { body: 'x' })).status).toBe(200);
  });
});

describe('a call of gRPC whose pod', () => {
  test.each<[string, string | Buffer]>([
    ['speaks HTTP/1.1', 'HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n'],
    ['answers with zeros', Buffer.alloc(100_000)],
    ['sends frames of no length that there is', Buffer.from('ffffff000000000001', 'hex')],
    ['ends the connection', ''],
  ])('%s goes to another one', async (_what, bytes) => {
    const pod = await strange((socket) => socket.end(bytes));
    await serve(1, pod.port);
    const client = new GrpcClient(gateway.ports.http);
    closing.push(() => client.close());
    expect((await client.call('x')).message).toBe('x');
    await gateway.inFlight(0);
  });

  test('says nothing is answered DEADLINE_EXCEEDED in time', async () => {
    const pod = await strange(() => undefined);
    await serve(1, pod.port);
    const client = new GrpcClient(gateway.ports.http);
    closing.push(() => client.close());
    const reply = client.call('x');
    await once(pod.server, 'connection');
    const progress = { isDone: false };
    void reply.finally(() => (progress.isDone = true));
    while (!progress.isDone) await gateway.clock.advance(1_000);
    expect((await reply).error?.code).toBe(4);
    expect(gateway.clock.monotonic()).toBeLessThan(70_000);
  });
});
