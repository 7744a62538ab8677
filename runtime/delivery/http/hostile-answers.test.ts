import type { RequestListener } from 'node:http';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DeliveryFixture } from '../delivery-fixture.ts';
import { FETCH_LIMITS } from '../fetch-limits.ts';
import { parseResponseHead } from './response-head.ts';

let fixture: DeliveryFixture;
beforeEach(() => {
  fixture = new DeliveryFixture();
});
afterEach(() => {
  fixture.close();
});

const PAGE = 'x'.repeat(100_000);

test('a header full of blanks is read in one pass', () => {
  // In two nested ones a megabyte takes a quarter of an hour.
  const { headers } = parseResponseHead(`HTTP/1.1 200 OK\r\nx: \t a${' '.repeat(1_000_000)}b \t`);
  expect(headers['x']).toHaveLength(1_000_002);
});

test('a server that announces its answer for ever is given up', async () => {
  const base = await fixture.serve((_, response) => {
    const { socket } = response;
    const announce = (): void => {
      if (socket === null || socket.destroyed) return;
      socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100), announce);
    };
    announce();
  });
  await expect(fixture.open(`${base}/a`)).rejects.toThrow(/headers without end/);
});

test.each<[string, number, string, RegExp, number]>([
  ['is not there', 404, 'ModelNotFound', /answered 404\.$/, 1],
  ['is forbidden', 403, 'ModelFetchFailed', /answered 403: it wants credentials/, 1],
  ['is not there now', 503, 'ModelFetchFailed', /answered 503 \(4 attempts\)/, 4],
])('a page of any length does not hide that the model %s', async (_, status, reason, message, times) => {
  const base = await fixture.serve((_request, response) => response.writeHead(status).end(PAGE));
  await expect(fixture.open(`${base}/a`)).rejects.toMatchObject({ reason, message: expect.stringMatching(message) });
  expect(fixture.requests).toHaveLength(times);
});

test('nor does one that is cut short', async () => {
  const base = await fixture.serve((_, response) => {
    response.socket?.end('HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\nhal');
  });
  await expect(fixture.open(`${base}/a`)).rejects.toMatchObject({ reason: 'ModelNotFound' });
  expect(fixture.requests).toHaveLength(1);
});

test('a redirect is followed whatever its page is', async () => {
  const base = await fixture.serve(({ url }, response) => {
    if (url === '/b') response.end('model');
    else response.writeHead(302, { location: '/b' }).end(PAGE);
  });
  await expect(fixture.open(`${base}/a`)).resolves.toMatchObject({ path: expect.any(String) });
});

test('the name of a version goes back byte by byte', async () => {
  const seen: unknown[] = [];
  const send: RequestListener = (request, response) => {
    const [first = 0, last = 0] = (request.headers.range ?? '').slice('bytes='.length).split('-').map(Number);
    seen.push(request.headers['if-range']);
    const head = `HTTP/1.1 206 Partial Content\r\netag: "\xe9"\r\ncontent-range: bytes ${first}-${last}/10\r\n`;
    response.socket?.write(
      `${head}content-length: ${last + 1 - first}\r\n\r\n${'x'.repeat(last + 1 - first)}`,
      'latin1',
    );
  };
  const base = await fixture.serve(send);
  await fixture.open(`${base}/a`, undefined, { limits: { ...FETCH_LIMITS, partBytes: 5 } });
  expect(seen).toEqual([undefined, '"\xe9"']);
});

test('a token that no header may have opens no connection', async () => {
  let connections = 0;
  const base = await fixture.serve(
    (_, response) => response.end(),
    () => (connections += 1),
  );
  const environment = { PILOTLIGHT_MODEL_TOKEN: 'a\r\nb: c' };
  await expect(fixture.open(`${base}/a`, undefined, { environment })).rejects.toThrow(/character that none may have/);
  // Connections arrive in order, so this one is the second if that opened any.
  await (await fetch(base)).text();
  expect(connections).toBe(1);
});
