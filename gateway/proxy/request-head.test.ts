import { expect, test } from '@jest/globals';
import { readRequestHead } from './request-head.ts';

test('what a pod gets to see comes in order, with repeated fields', () => {
  const head = readRequestHead(
    [
      'Host',
      'a.b',
      'Accept',
      'x',
      'ACCEPT',
      'y',
      'Content-Length',
      '5',
      'Upgrade',
      'WebSocket',
      'X-Forwarded-Proto',
      'https',
    ],
    '10.0.0.9',
  );
  expect(head).toEqual({
    host: 'a.b',
    contentLength: 5,
    chunked: false,
    upgrade: 'websocket',
    forwarded: [
      'accept',
      'x',
      'accept',
      'y',
      'x-forwarded-for',
      '10.0.0.9',
      'x-forwarded-proto',
      'https',
      'x-forwarded-host',
      'a.b',
    ],
  });
});

test.each([
  ['connection', 'x-one, X-Two'],
  ['Connection', 'keep-alive, x-one,x-two'],
])('fields that %s names are of this connection: %s', (name, value) => {
  const head = readRequestHead(['host', 'a.b', name, value, 'X-One', '1', 'x-two', '2', 'x-three', '3'], undefined);
  expect(head).toMatchObject({
    forwarded: ['x-three', '3', 'x-forwarded-proto', 'http', 'x-forwarded-host', 'a.b'],
  });
});

test('two different hosts are one too many', () => {
  expect(readRequestHead(['host', 'a', 'host', 'b'], undefined)).toContain('two different host headers');
  expect(readRequestHead(['host', 'a', 'host', 'a'], undefined)).toMatchObject({ host: 'a' });
});
