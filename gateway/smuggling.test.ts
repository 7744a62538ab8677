/** Requests that two programs on their way could take for different ones. Whatever is not exactly one request is refused, and no pod sees anything of it. */
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FLAG, FRAME, frame, headerBlock, PREFACE, type HeaderField } from '../common/wire/http2-frames.fixture.ts';
import { call, raw } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import type { StubRuntime } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
let pod: StubRuntime;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
  pod = await gateway.runtime('a');
  await gateway.leader([functionRoute({ revisions: [revisionRoute([pod.route()])] })]);
});
afterEach(() => gateway.close());

const HOST = 'host: digits.default\r\n';
const CHUNKED = `POST / HTTP/1.1\r\n${HOST}transfer-encoding: chunked\r\n\r\n`;
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n\r\n${body}${SMUGGLED}`;
const chunks = (body: string): string => `${CHUNKED}${body}${SMUGGLED}`;
const END = '0\r\n\r\n';

test.each([
  ['a length and chunks', post('content-length: 4\r\ntransfer-encoding: chunked', END)],
  ['chunks and a length', post('transfer-encoding: chunked\r\ncontent-length: 4', END)],
  ['two lengths, though they are the same', post('content-length: 4\r\ncontent-length: 4', 'body')],
  ['a list of lengths', post('content-length: 4, 4', 'body')],
  ['a length with a sign', post('content-length: +4', 'body')],
  ['a length with a space', post('content-length: 4 4', 'body')],
  ['a length in hexadecimal', post('content-length: 0x4', 'body')],
  ['no length after its name', post('content-length:', '')],
  ['a length beyond 64 bits', post('content-length: 18446744073709551620', 'body')],
  ['an encoding on a line of its own', post('transfer-encoding:\r\n chunked', END)],
  ['a field that goes on in the next line', post('x: a\r\n b', '')],
  ['an encoding that only looks like chunked', post('transfer-encoding: xchunked', END)],
  ['an encoding with a control character', post('transfer-encoding: \x0bchunked', END)],
  ['a space before the colon', post('transfer-encoding : chunked', END)],
  ['chunks that are not the last encoding', post('transfer-encoding: chunked, identity', END)],
  ['chunks twice', post('transfer-encoding: chunked, chunked', END)],
  ['chunks on two lines', post('transfer-encoding: chunked\r\ntransfer-encoding: identity', END)],
  ['a size of a chunk with a prefix', chunks(`0x4\r\nbody\r\n${END}`)],
  ['a size of a chunk with a sign', chunks(`-4\r\nbody\r\n${END}`)],
  ['a size of a chunk beyond 64 bits', chunks(`10000000000000004\r\nbody\r\n${END}`)],
  ['a chunk that does not end where it says', chunks(`4\r\nbodyXX${END}`)],
  ['a chunk’s extension that ends with a bare line feed', chunks(`4;a\nbody\r\n${END}`)],
  ['a chunk’s extension that does not end', chunks(`4;${'a'.repeat(100_000)}\r\nbody\r\n${END}`)],
  ['bare line feeds between chunks', chunks(`4\nbody\n0\n\n`)],
  ['a length after the body', chunks(`4\r\nbody\r\n0\r\ncontent-length: 9\r\n\r\n`)],
  ['an encoding after the body', chunks(`4\r\nbody\r\n0\r\ntransfer-encoding: chunked\r\n\r\n`)],
  ['bare line feeds in its head', `GET / HTTP/1.1\nhost: digits.default\n\n${SMUGGLED}`],
  ['one bare line feed in its head', `GET / HTTP/1.1\r\nhost: digits.default\nx: y\r\n\r\n${SMUGGLED}`],
  ['a bare carriage return in its head', post('x: a\rtransfer-encoding: chunked', END)],
  ['a zero byte in its head', post('x: a\0b', '')],
  ['a field that begins with a space', `GET / HTTP/1.1\r\n ${HOST}${HOST}\r\n${SMUGGLED}`],
  ['a version that there is not', `GET / HTTP/1.2\r\n${HOST}\r\n${SMUGGLED}`],
])('a request of HTTP/1.1 with %s is refused with 400, and its connection ends', async (_what, bytes) => {
  const answers = await raw(gateway.ports.http, bytes);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  expect(pod.count).toBe(0);
});

test.each([
  ['chunks in HTTP/1.0', `POST / HTTP/1.0\r\n${HOST}transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n${END}`],
  ['the form of HTTP/1.1 under the name of HTTP/2', `GET / HTTP/2.0\r\n${HOST}connection: close\r\n\r\n`],
  [
    'an encoding beneath the chunks',
    `POST / HTTP/1.1\r\n${HOST}connection: close\r\ntransfer-encoding: gzip, chunked\r\n\r\n4\r\nbody\r\n${END}`,
  ],
])('a request with %s, which can be told from the next one, is refused with 400', async (_what, bytes) => {
  const answers = await raw(gateway.ports.http, bytes);
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  expect(pod.count).toBe(0);
});

test.each([
  ['extensions of chunks, which nobody knows', chunks(`4;a=b\r\nbody\r\n${END}`), 'POST'],
  ['a body though it is GET', `GET / HTTP/1.1\r\n${HOST}content-length: 4\r\n\r\nbody${SMUGGLED}`, 'GET'],
  ['its length as a matter of the connection', post('connection: content-length\r\ncontent-length: 4', 'body'), 'POST'],
])('%s leave a request and the next one what they are', async (_what, bytes, method) => {
  const answers = await raw(gateway.ports.http, bytes.replace(/\r\n\r\n$/, '\r\nconnection: close\r\n\r\n'));
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200']);
  const seen = pod.received.all.map(({ request: one }) => [one.method, one.url, one.headers['content-length']]);
  expect(seen.sort()).toEqual(
    [
      ['GET', '/smuggled', undefined],
      [method, '/', '4'],
    ].sort(),
  );
});

describe('by HTTP/2', () => {
  const REQUEST: readonly HeaderField[] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':authority', 'digits.default'],
    [':path', '/'],
  ];

  /** Sends a request with these frames, and gives what came back for it: its status, or the code of its reset. */
  async function send(fields: readonly HeaderField[], body?: string): Promise<{ status?: number; reset?: number }> {
    const socket = connect(gateway.ports.http, '127.0.0.1');
    const end = body === undefined ? FLAG.endStream : 0;
    const head = frame(FRAME.headers, FLAG.endHeaders | end, 1, headerBlock(fields));
    const data = body === undefined ? [] : [frame(FRAME.data, FLAG.endStream, 1, Buffer.from(body))];
    socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), head, ...data]));
    let bytes = Buffer.alloc(0);
    for await (const chunk of socket) {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const length = 9 + bytes.readUIntBE(0, 3);
        const [type, payload] = [bytes[3], bytes.subarray(9, length)];
        bytes = bytes.subarray(length);
        if (type === FRAME.rstStream) return { reset: payload.readUInt32BE(0) };
        // HPACK's own names for these two statuses (RFC 7541, appendix A); others are not asked for here.
        if (type === FRAME.headers) return { status: payload[0] === 0x88 ? 200 : payload[0] === 0x8c ? 400 : 0 };
      }
    }
    return {};
  }

  test.each<[what: string, given: { fields: readonly HeaderField[]; body?: string }]>([
    ['an encoding of HTTP/1.1', { fields: [...REQUEST, ['transfer-encoding', 'chunked']], body: END }],
    ['a connection', { fields: [...REQUEST, ['connection', 'close']] }],
    ['a keep-alive', { fields: [...REQUEST, ['keep-alive', 'timeout=9']] }],
    ['an upgrade', { fields: [...REQUEST, ['upgrade', 'h2c']] }],
    ['te that is not trailers', { fields: [...REQUEST, ['te', 'gzip']] }],
    ['a length that is more than its body', { fields: [...REQUEST, ['content-length', '9']], body: 'body' }],
    ['a length without a body', { fields: [...REQUEST, ['content-length', '4']] }],
    ['two lengths', { fields: [...REQUEST, ['content-length', '4'], ['content-length', '4']], body: 'body' }],
    ['a length that is none', { fields: [...REQUEST, ['content-length', '4x']], body: 'body' }],
    ['a name in capitals', { fields: [...REQUEST, ['Transfer-Encoding', 'chunked']] }],
    ['two paths', { fields: [...REQUEST, [':path', '/smuggled']] }],
    ['a space in its path', { fields: [...REQUEST.slice(0, 3), [':path', '/ HTTP/1.1']] }],
    ['no path', { fields: REQUEST.slice(0, 3) }],
    ['a pseudo-field after the others', { fields: [...REQUEST.slice(0, 3), ['x', '1'], [':path', '/']] }],
    ['a line break in its method', { fields: [[':method', 'GET /smuggled HTTP/1.1\r\nx:'], ...REQUEST.slice(1)] }],
    [
      'a line break in its path',
      { fields: [...REQUEST.slice(0, 3), [':path', '/ HTTP/1.1\r\nhost: other.default\r\n\r\n']] },
    ],
  ])('a request with %s is reset', async (_what, { fields, body }) => {
    expect(await send(fields, body)).toEqual({ reset: constants.NGHTTP2_PROTOCOL_ERROR });
    expect(pod.count).toBe(0);
  });

  test('a request with more of a body than its length ends its connection', async () => {
    expect(await send([...REQUEST, ['content-length', '2']], 'body')).toEqual({});
    expect(pod.count).toBe(0);
  });

  test('a request with two hosts is refused with 400', async () => {
    expect(await send([...REQUEST, ['host', 'other.default']])).toEqual({ status: 400 });
    expect(pod.count).toBe(0);
  });

  test('a field with a line break is left out', async () => {
    const broken: readonly HeaderField[] = [
      ['x-value', 'a\r\nx-smuggled: 1'],
      ['x-name: a\r\nx-smuggled', '1'],
    ];
    expect(await send([...REQUEST, ...broken])).toEqual({ status: 200 });
    const { request } = await pod.received.next();
    expect(
      Object.keys(request.headers).filter((name) => name.startsWith('x-') && !name.startsWith('x-forwarded')),
    ).toEqual([]);
  });
});

describe('a host of 64 KiB', () => {
  const HUGE = 'a'.repeat(64 * 1024);
  const tooLarge = { error: 'The head of the request is larger than 32768 bytes.', code: 'head-too-large' };

  test('is refused with 431, before it is looked for', async () => {
    const answer = await raw(gateway.ports.http, `GET / HTTP/1.1\r\nhost: ${HUGE}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(JSON.parse(answer.slice(answer.indexOf('{')))).toEqual(tooLarge);
  });

  test('by HTTP/2 too, or reset once the client could know better', async () => {
    const session: ClientHttp2Session = connectHttp2(`http://127.0.0.1:${gateway.ports.http}`);
    const large = { ':path': '/', ':authority': 'a'.repeat(40_000) };
    const early = session.request(large);
    const [head] = (await once(early, 'response')) as [IncomingHttpHeaders];
    let text = '';
    for await (const chunk of early) text += String(chunk);
    expect({ status: head[':status'], body: JSON.parse(text) as unknown }).toEqual({ status: 431, body: tooLarge });
    const late = session.request({ ...large, ':authority': HUGE });
    late.on('error', () => undefined);
    await new Promise((resolve) => late.once('close', resolve));
    expect(late.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    session.destroy();
    expect((await call(gateway.ports.http)).status).toBe(200);
  });
});
