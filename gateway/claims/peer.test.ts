import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { ManualClock } from '../../common/platform/manual-clock.ts';
import { encodeLine } from '../../common/wire/ndjson.ts';
import { listen } from '../listen.ts';
import { Inbox } from '../testing/inbox.ts';
import { Peer } from './peer.ts';

const HOST = '127.0.0.1';

interface Owner {
  readonly server: Server;
  readonly clock: ManualClock;
  readonly peer: Peer;
  readonly streams: Inbox<ServerResponse>;
  /** Milliseconds until each next attempt, as logged. */
  readonly waits: Inbox<number>;
}

let owner: Owner;
afterEach(() => {
  owner.peer.close();
  owner.server.close();
});

async function start(): Promise<Owner> {
  const clock = new ManualClock();
  const streams = new Inbox<ServerResponse>();
  const waits = new Inbox<number>();
  const server = createServer((request, response) => {
    request.resume();
    response.write(encodeLine({ type: 'beat' }));
    streams.put(response);
  });
  const route = { id: 'owner', host: HOST, controlPort: await listen(server, 0, HOST) };
  const logger = createLogger('test', 'warn', (line) => {
    waits.put((JSON.parse(line) as { milliseconds: number }).milliseconds);
  });
  const peer = new Peer(route, { clock, random: () => 0, token: 'token', logger, onChange: () => undefined });
  peer.open();
  return { server, clock, peer, streams, waits };
}

/** Gives the milliseconds after which the peer tries again, and lets them pass. */
async function endStream({ clock, streams, waits }: Owner): Promise<number> {
  (await streams.next()).end();
  const wait = await waits.next();
  await clock.advance(wait);
  return wait;
}

test('one that accepts and ends at once is asked less and less often', async () => {
  owner = await start();
  const waited: number[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) waited.push(await endStream(owner));
  expect(waited).toEqual([50, 100, 200, 400, 800, 1_600, 2_500, 2_500]);
});

test('one that served for longer than the longest wait is asked again soon', async () => {
  owner = await start();
  const { clock, peer, streams, waits } = owner;
  for (let attempt = 0; attempt < 4; attempt += 1) await endStream(owner);
  const stream = await streams.next();
  for (let second = 0; second < 6; second += 1) {
    // It is heard, or the peer would take it for gone.
    const denied = new Promise<void>((resolve) => {
      peer.claim(
        { namespace: 'default', revision: 'digits-00001', waited: 0, again: false },
        { granted: () => undefined, denied: resolve },
      );
    });
    stream.write(encodeLine({ type: 'deny', id: second + 1 }));
    await denied;
    await clock.advance(1_000);
  }
  stream.end();
  expect(await waits.next()).toBe(50);
});
