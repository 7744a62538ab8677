import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { main } from '../main.ts';

const DIGITS = join(dirname(import.meta.dirname), '..', 'examples', 'digits');

async function listening(port = 0): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 };
}

test('a port that is taken ends it with the reason, and it keeps no other port', async () => {
  const taken = await listening();
  const free = await listening();
  free.server.close();
  await once(free.server, 'close');
  const err: string[] = [];
  const args = ['local', DIGITS, '--port', String(free.port), '--metrics-port', String(taken.port)];
  const code = await main(args, {
    out: () => undefined,
    err: (line) => err.push(line),
    environment: {},
    interrupted: new AbortController().signal,
  });
  taken.server.close();
  expect(code).toBe(1);
  expect(err.join()).toContain(`address already in use 127.0.0.1:${taken.port}`);
  const again = await listening(free.port);
  again.server.close();
});
