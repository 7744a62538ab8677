import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Load } from './load.ts';
import type { ClientRequest } from './protocol.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, number: number) => void;

let server: Server;
let handler: Handler;
/** That the server was sent. */
let received: number;
beforeEach(async () => {
  received = 0;
  server = createServer((request, response) => handler(request, response, ++received)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function request(more: Partial<ClientRequest> = {}): ClientRequest {
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, ...more };
}

const error = (response: ServerResponse, status: number, code: string): unknown =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: 'It is so.', code }));

describe.each([true, false])('with keepAlive %s', (keepAlive) => {
  test('every request is sent once and counted once, by what became of it', async () => {
    handler = (_, response, number) => {
      if (number % 5 === 1) response.writeHead(200, { 'pilotlight-revision': 'a' }).end('yes');
      else if (number % 5 === 2) error(response, 503, 'no-pod-in-time');
      else if (number % 5 === 3) response.writeHead(502).end('<html>');
      else if (number % 5 === 4) response.destroy();
      else response.writeHead(200, { 'content-length': '10' }).write('half', () => response.destroy());
    };
    const load = new Load({ request: request(), concurrency: 1, keepAlive, requests: 50 });
    await load.until({ total: 50 });
    const report = await load.stop();
    expect(received).toBe(50);
    const reset = Object.keys(report.outcomes).filter((outcome) => outcome.startsWith('ECONNRESET'));
    const resets = reset.reduce((sum, outcome) => sum + report.outcomes[outcome]!, 0);
    expect(report).toMatchObject({
      sent: 50,
      open: 0,
      outcomes: { '200': 10, '503 no-pod-in-time': 10, '502': 10 },
      revisions: { a: 10 },
    });
    expect(resets).toBe(20);
    expect(report.failures).toHaveLength(40);
  });
});

test('a kept connection that the server closes under a request is told apart', async () => {
  handler = (_, response, number) => (number === 1 ? response.end() : response.destroy());
  const load = new Load({ request: request(), keepAlive: true, requests: 2 });
  await load.until({ total: 2 });
  expect((await load.stop()).outcomes).toEqual({ '200': 1, 'ECONNRESET on a reused connection': 1 });
});

test('a request without an answer is counted as such', async () => {
  handler = () => undefined;
  const load = new Load({ request: request({ timeoutMilliseconds: 20 }), requests: 1 });
  await load.until({ total: 1 });
  expect((await load.stop()).outcomes).toEqual({ timeout: 1 });
});

test('a rate does not wait for answers', async () => {
  const waiting: ServerResponse[] = [];
  handler = (_, response) => {
    waiting.push(response);
    if (waiting.length === 10) for (const each of waiting) each.end();
  };
  const load = new Load({ request: request(), perSecond: 1000, requests: 10 });
  await load.until({ total: 10 });
  expect((await load.stop()).outcomes).toEqual({ '200': 10 });
});

test('a load waits for so many answers in a row of one revision', async () => {
  handler = (_, response, number) => {
    response.writeHead(200, { 'pilotlight-revision': number > 20 && number !== 23 ? 'b' : 'a' }).end();
  };
  const load = new Load({ request: request() });
  const { revisions } = await load.until({ revision: { name: 'b', inARow: 3 } });
  await load.stop();
  expect(revisions['b']).toBe(5);
});

test('answers that were in flight when it stops are counted', async () => {
  let last: ServerResponse | undefined;
  handler = (_, response) => (last = response);
  const load = new Load({ request: request() });
  while (last === undefined) await once(server, 'request');
  expect(load.report()).toMatchObject({ sent: 1, open: 1, outcomes: {} });
  const stopped = load.stop();
  last.end();
  expect(await stopped).toMatchObject({ sent: 1, open: 0, outcomes: { '200': 1 } });
});
