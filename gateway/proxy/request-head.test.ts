import { expect, test } from '@jest/globals';
import { readRequestHead, type RequestHead } from './request-head.ts';

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
    takesTrailers: false,
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

test.each([
  ['10.0.0.9', 'a.b', 'for=10.0.0.9;host=a.b;proto=http'],
  ['fd00::7', 'a.b:8080', 'for="[fd00::7]";host="a.b:8080";proto=http'],
  [undefined, 'a.b', 'for=unknown;host=a.b;proto=http'],
])('a chain of hops goes on with this one: %s to %s', (client, host, element) => {
  const head = readRequestHead(
    ['host', host, 'Forwarded', 'for=1.2.3.4', 'forwarded', 'for=_hidden;proto=https'],
    client,
  );
  const { forwarded } = head as RequestHead;
  expect(forwarded.slice(-2)).toEqual(['forwarded', `for=1.2.3.4, for=_hidden;proto=https, ${element}`]);
  expect(forwarded.filter((field) => field === 'forwarded')).toHaveLength(1);
});

test('trace context, baggage and request ids are the client’s, and none is made up', () => {
  const fields = [
    ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['tracestate', 'a=1,b=2'],
    ['tracestate', 'c=3'],
    ['baggage', 'user=7'],
    ['x-request-id', 'r-1'],
  ].flat();
  expect(readRequestHead(['host', 'a.b', ...fields], undefined)).toMatchObject({
    forwarded: [...fields, 'x-forwarded-proto', 'http', 'x-forwarded-host', 'a.b'],
  });
  expect(readRequestHead(['host', 'a.b'], undefined)).toMatchObject({
    forwarded: ['x-forwarded-proto', 'http', 'x-forwarded-host', 'a.b'],
  });
});
