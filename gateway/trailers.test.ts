/** Fields after the body of an answer, and of a request. */
import { once } from 'node:events';
import { connect as connectHttp2, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { call, open, raw, responseTo } from './testing/client.ts';
import { functionRoute, GatewayFixture, revisionRoute } from './testing/gateway-fixture.ts';
import { answerOk, type Behaviour, type StubRuntime } from './testing/stub-runtime.ts';

let gateway: GatewayFixture;
beforeEach(async () => {
  gateway = await GatewayFixture.start();
});
afterEach(() => gateway.close());

async function serve(behaviour: Behaviour): Promise<StubRuntime> {
  const pod = await gateway.runtime('a', behaviour);
  await gateway.leader([functionRoute({ revisions: [revisionRoute([pod.route()])] })]);
  return pod;
}

/** Announces some fields, and sends these after its body. */
const answerWith =
  (trailers: Record<string, string | string[]>): Behaviour =>
  ({ request, response }) => {
    request.resume();
    response.writeHead(200, { 'pilotlight-pod-uid': 'a', trailer: 'x-checksum' });
    response.write('body');
    response.addTrailers(trailers);
    response.end();
  };

interface Received {
  readonly status: unknown;
  readonly text: string;
  readonly announced: unknown;
  readonly trailers: IncomingHttpHeaders;
}

async function byHttp1(headers: Record<string, string>): Promise<Received> {
  const request = open(gateway.ports.http, { headers });
  const arrived = responseTo(request);
  request.end();
  const response = await arrived;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  const { trailer } = response.headers;
  return { status: response.statusCode, text, announced: trailer, trailers: response.trailers };
}

async function withHttp2<Value>(act: (session: ClientHttp2Session) => Promise<Value>): Promise<Value> {
  const session = connectHttp2(`http://127.0.0.1:${gateway.ports.http}`);
  const value = await act(session);
  session.close();
  return value;
}

function byHttp2(headers: Record<string, string>): Promise<Received> {
  return withHttp2(async (session) => {
    const stream = session.request({ ':path': '/', ':authority': 'digits.default', ...headers });
    let trailers: IncomingHttpHeaders = {};
    stream.on('trailers', (fields: IncomingHttpHeaders) => (trailers = fields));
    const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    return { status: head[':status'], text, announced: head['trailer'], trailers };
  });
}

describe.each([
  ['HTTP/1.1', byHttp1],
  ['HTTP/2', byHttp2],
])('the answer to a client of %s', (_protocol, send) => {
  test('ends with the fields that its pod sent after it, if the client takes any', async () => {
    const pod = await serve(answerWith({ 'x-checksum': 'abc', 'x-many': ['1', '2'] }));
    expect(await send({ te: 'trailers' })).toMatchObject({
      status: 200,
      text: 'body',
      announced: 'x-checksum',
      trailers: { 'x-checksum': 'abc', 'x-many': '1, 2' },
    });
    expect((await pod.received.next()).request.headers['te']).toBe('trailers');
  });

  test('ends without them if it does not', async () => {
    const pod = await serve(answerWith({ 'x-checksum': 'abc' }));
    expect(await send({})).toEqual({ status: 200, text: 'body', announced: undefined, trailers: {} });
    expect((await pod.received.next()).request.headers['te']).toBeUndefined();
  });

  test('ends without those that belong before it', async () => {
    await serve(
      answerWith({
        'content-type': 'text/html',
        'content-encoding': 'gzip',
        'cache-control': 'public',
        'set-cookie': ['a=1', 'b=2'],
        'access-control-allow-origin': '*',
        'pilotlight-revision': 'forged',
        'x-checksum': 'abc',
      }),
    );
    const { trailers } = await send({ te: send === byHttp1 ? 'deflate, Trailers' : 'trailers' });
    expect(Object.keys(trailers)).toEqual(['x-checksum']);
  });

  test('may have none though the client takes them', async () => {
    await serve(answerOk);
    expect(await send({ te: 'trailers' })).toMatchObject({ status: 200, announced: undefined, trailers: {} });
  });

  test('to HEAD has none', async () => {
    await serve(({ response }) => {
      response.writeHead(200, { 'pilotlight-pod-uid': 'a', 'transfer-encoding': 'chunked', trailer: 'x-a' }).end();
    });
    if (send === byHttp1) {
      const { status, headers } = await call(gateway.ports.http, { method: 'HEAD', headers: { te: 'trailers' } });
      expect({ status, trailer: headers.trailer }).toEqual({ status: 200, trailer: undefined });
    } else {
      expect(await send({ ':method': 'HEAD', te: 'trailers' })).toMatchObject({ status: 200, text: '' });
    }
  });

  test('from the gateway itself is whole for a client that takes them', async () => {
    await gateway.leader([]);
    const { status, text } = await send({ te: 'trailers' });
    expect({ status, text }).toEqual({ status: 404, text: expect.stringContaining('unknown-function') });
    await gateway.inFlight(0);
  });
});

test('an answer that does not wait for the end of its request has them too, by HTTP/2', async () => {
  await serve(({ response }) => {
    response.writeHead(400, { 'pilotlight-pod-uid': 'a' }).write('no');
    response.addTrailers({ 'x-checksum': 'abc' });
    response.end();
  });
  await withHttp2(async (session) => {
    const head = { ':method': 'POST', ':path': '/', ':authority': 'digits.default', te: 'trailers' };
    const stream = session.request(head);
    stream.write(Buffer.alloc(300 * 1024));
    const [trailers] = (await once(stream.resume(), 'trailers')) as [IncomingHttpHeaders];
    expect(trailers).toMatchObject({ 'x-checksum': 'abc' });
    await once(stream, 'close');
    expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
  });
  await gateway.inFlight(0);
});

test('a client of HTTP/1.0, which has no chunks, gets the body alone', async () => {
  await serve(answerWith({ 'x-checksum': 'abc' }));
  const answer = await raw(gateway.ports.http, 'GET / HTTP/1.0\r\nhost: digits.default\r\nte: trailers\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.endsWith('\r\n\r\nbody')).toBe(true);
});

test('an answer with more after it than a head may have is not whole', async () => {
  await serve(answerWith({ 'x-checksum': 'x'.repeat(100_000) }));
  await expect(byHttp1({ te: 'trailers' })).rejects.toThrow('aborted');
});

describe('fields after the body of a request', () => {
  const TRAILERS = 'host: other.default\r\nauthorization: forged\r\npilotlight-pod-uid: b\r\nx-after: 1\r\n';

  test('do not reach the pod in any place, and the next request on the connection is as it is', async () => {
    const pod = await serve(answerOk);
    const answers = await raw(
      gateway.ports.http,
      `POST /first HTTP/1.1\r\nhost: digits.default\r\ntransfer-encoding: chunked\r\ntrailer: x-after\r\n\r\n4\r\nbody\r\n0\r\n${TRAILERS}\r\n` +
        'GET /second HTTP/1.1\r\nhost: digits.default\r\nconnection: close\r\n\r\n',
    );
    expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    const received = pod.received.all.map(({ request }) => request);
    const first = received.find(({ url }) => url === '/first');
    expect({ ...first?.headers, ...first?.trailers }).not.toHaveProperty('x-after');
    expect(first?.headers).toMatchObject({ 'content-length': '4', 'pilotlight-pod-uid': 'a' });
    expect(first?.headers).not.toHaveProperty('authorization');
    expect(received.map(({ url }) => url).sort()).toEqual(['/first', '/second']);
  });

  test('by HTTP/2 neither', async () => {
    const pod = await serve(answerOk);
    await withHttp2(async (session) => {
      const stream = session.request(
        { ':method': 'POST', ':path': '/', ':authority': 'digits.default' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-after': '1', authorization: 'forged' }));
      stream.end('body');
      await once(stream, 'response');
      stream.resume();
      await once(stream, 'close');
    });
    const { request } = await pod.received.next();
    expect({ ...request.headers, ...request.trailers }).not.toMatchObject({ 'x-after': '1' });
    expect(request.headers).not.toHaveProperty('authorization');
  });
});
