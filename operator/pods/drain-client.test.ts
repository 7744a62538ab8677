import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { askToDrain } from './drain-client.ts';

let server: Server;

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function podThatAnswers(status: number | 'hang up'): Promise<{ asked: IncomingMessage[]; port: number }> {
  const asked: IncomingMessage[] = [];
  server = createServer((request, response) => {
    asked.push(request);
    if (status === 'hang up') request.socket.destroy();
    else response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, port: (server.address() as AddressInfo).port };
}

const ask = (port: number): ReturnType<typeof askToDrain> =>
  askToDrain({ host: '127.0.0.1', ports: { http: 1, control: port } }, 'the-token');

describe('a pod that is asked to drain', () => {
  test.each([
    [200, 'Draining'],
    [202, 'Draining'],
    [409, 'Busy'],
    [401, 'Unreachable'],
    [500, 'Unreachable'],
    ['hang up', 'Unreachable'],
  ] as const)('and answers %s is %s', async (status, want) => {
    const { port } = await podThatAnswers(status);
    expect(await ask(port)).toBe(want);
  });

  test('is asked with its token, only if it is idle', async () => {
    const { asked, port } = await podThatAnswers(200);
    await ask(port);
    expect(asked[0]).toMatchObject({ method: 'POST', url: '/v1/drain?ifIdle' });
    expect(asked[0]?.headers.authorization).toBe('Bearer the-token');
  });

  test('and is not there is Unreachable', async () => {
    const { port } = await podThatAnswers(200);
    await new Promise((resolve) => server.close(resolve));
    expect(await ask(port)).toBe('Unreachable');
  });
});
