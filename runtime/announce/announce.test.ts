import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import type { Announcement } from '../../common/wire/announcement.ts';
import { announce, type AnnounceOptions } from './announce.ts';

const announcement: Announcement = {
  namespace: 'default',
  revision: 'digits-00001',
  pod: 'digits-00001-0',
  uid: 'uid-1',
  host: '10.0.0.7',
  ports: { http: 8080, control: 9091 },
};

interface Gateway {
  readonly port: number;
  readonly server: Server;
  readonly received: { path: string | undefined; headers: IncomingHttpHeaders; body: unknown }[];
}

const gateways: Gateway[] = [];

/** Answers with each status in turn, then with the last one; 0 breaks the connection off. */
async function gateway(...statuses: number[]): Promise<Gateway> {
  const received: Gateway['received'] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const status = statuses[Math.min(received.length, statuses.length - 1)] ?? 204;
      received.push({ path: request.url, headers: request.headers, body: JSON.parse(text) as unknown });
      if (status === 0) request.socket.destroy();
      else response.writeHead(status).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const made = { port: (server.address() as AddressInfo).port, server, received };
  gateways.push(made);
  return made;
}

afterEach(async () => {
  for (const { server } of gateways.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

function start(ports: readonly number[], stop = new AbortController()): { done: Promise<void>; clock: ManualClock } {
  const clock = new ManualClock();
  const options: AnnounceOptions = {
    announcement,
    gateways: ports.map((port) => ({ host: '127.0.0.1', port })),
    token: 'key.secret',
    clock,
    logger: createLogger('test', 'silent'),
    random: () => 1,
    signal: stop.signal,
  };
  return { done: announce(options), clock };
}

/** Walks the clock from one attempt to the next until it is over; returns the milliseconds that went by. */
async function walk({ done, clock }: { done: Promise<void>; clock: ManualClock }): Promise<number> {
  const over = done.then(() => true);
  const turn = (): Promise<false> => new Promise((resolve) => setImmediate(resolve, false));
  while (!(await Promise.race([over, turn()]))) if (clock.pending > 0) await clock.advance(50);
  return clock.monotonic();
}

test('tells every gateway who it is, with its token', async () => {
  const [first, second] = [await gateway(200), await gateway(204)];
  await start([first.port, second.port]).done;
  for (const { received } of [first, second]) {
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      path: '/v1/announcements',
      body: announcement,
      headers: { authorization: 'Bearer key.secret', 'content-type': 'application/json' },
    });
  }
});

test('tries again until it is heard, each gateway by itself', async () => {
  const [broken, well] = [await gateway(0, 503, 429, 200), await gateway(200)];
  expect(await walk(start([broken.port, well.port]))).toBe(50 + 100 + 200);
  expect(broken.received).toHaveLength(4);
  expect(well.received).toHaveLength(1);
});

test('waits long after a refusal, but does not give up', async () => {
  const { port, received } = await gateway(403, 200);
  expect(await walk(start([port]))).toBe(10_000);
  expect(received).toHaveLength(2);
});

test('goes on while nobody listens or a name is unknown, until it is told to stop', async () => {
  const { port, server } = await gateway();
  gateways.pop();
  server.close();
  await once(server, 'close');
  const stop = new AbortController();
  const started = start([port], stop);
  const over = walk(started);
  await started.clock.advance(0);
  stop.abort();
  await over;
  expect(started.clock.pending).toBe(0);
});

test('does not begin when it is already told to stop', async () => {
  const { port, received } = await gateway(200);
  const stop = new AbortController();
  stop.abort();
  await start([port], stop).done;
  expect(received).toHaveLength(0);
});
