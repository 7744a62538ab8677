import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { DIGITS } from './examples.ts';
import { ModelServer } from './model-server.ts';
import { startPlatform, type Platform } from './platform.ts';
import { UnfinishedRequest } from './request.ts';

jest.setTimeout(30_000);

const MODEL_PATH = '/v2/models/digits';
const MAX_BODY_BYTES = 64 * 1024 * 1024;

let platform: Platform;
let models: ModelServer;
beforeAll(async () => {
  models = await ModelServer.start();
  models.hold('/late.onnx');
  platform = await startPlatform();
  await platform.apply('digits', { model: { uri: DIGITS.uri }, scaling: { minReplicas: 1 } });
  await platform.apply('late', { model: { uri: models.url('/late.onnx') }, queue: { maxRequests: 1 } });
  await platform.untilReady('digits');
  await platform.untilRouted('late');
});
afterAll(async () => {
  await platform.close();
  await models.close();
});

describe('what does not exist is a 404 that says so', () => {
  test.each([
    { what: 'function', send: () => platform.infer('digit', DIGITS.request), says: /no function "digit" in namespace/ },
    { what: 'model', send: () => platform.send('digits', '/v2/models/letters'), says: /no model "letters".*"digits"/ },
    { what: 'version', send: () => platform.send('digits', `${MODEL_PATH}/versions/9`), says: /no version "9"/ },
    { what: 'path', send: () => platform.send('digits', '/v3'), says: /nothing at "\/v3"/ },
  ])('$what', async ({ send, says }) => {
    const { status, json } = await send();
    expect({ status, error: json['error'] }).toEqual({ status: 404, error: expect.stringMatching(says) });
  });

  test('an unknown function has a code of its own', async () => {
    expect((await platform.infer('digit', DIGITS.request)).json['code']).toBe('unknown-function');
  });
});

describe('a request that does not suit the model is a 400 that names the input and what was expected', () => {
  const pixels = { name: 'pixels', datatype: 'FP32', shape: [1, 64], data: Array.from({ length: 64 }, () => 0) };
  test.each([
    { what: 'no JSON', body: '{"inputs": [', says: /JSON/ },
    { what: 'no inputs', body: '{}', says: /inputs must be an array/ },
    {
      what: 'unknown input',
      body: inputs({ ...pixels, name: 'pixel' }),
      says: /no input "pixel"; did you mean "pixels"/,
    },
    {
      what: 'missing input',
      body: inputs(),
      says: /Input "pixels" is missing; the model takes FP32 of shape \[-1, 64\]/,
    },
    { what: 'input twice', body: inputs(pixels, pixels), says: /input "pixels" is given more than once/ },
    { what: 'other dtype', body: inputs({ ...pixels, datatype: 'INT64' }), says: /"pixels" must be FP32 but is INT64/ },
    {
      what: 'unknown dtype',
      body: inputs({ ...pixels, datatype: 'F32' }),
      says: /datatype must be one of .* but is "F32"/,
    },
    {
      what: 'other rank',
      body: inputs({ ...pixels, shape: [64] }),
      says: /"pixels" must have the shape \[-1, 64\].*\[64\]/,
    },
    {
      what: 'other width',
      body: inputs({ ...pixels, shape: [1, 63], data: pixels.data.slice(1) }),
      says: /"pixels" must have the shape \[-1, 64\], -1 being any, but has \[1, 63\]/,
    },
    {
      what: 'too few elements',
      body: inputs({ ...pixels, shape: [2, 64] }),
      says: /"pixels": data has 64 elements where its shape \[2, 64\] has 128/,
    },
    { what: 'elements of another type', body: inputs({ ...pixels, data: pixels.data.map(String) }), says: /pixels/ },
    {
      what: 'unknown output',
      body: JSON.stringify({ inputs: [pixels], outputs: [{ name: 'labels' }] }),
      says: /no output "labels"; did you mean "label"/,
    },
  ])('$what', async ({ body, says }) => {
    const { status, json } = await platform.infer('digits', body);
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: expect.stringMatching(says) });
  });

  test.each([
    { what: 'beyond the body', length: '100000', says: /Inference-Header-Content-Length/ },
    { what: 'in the middle of the JSON', length: '10', says: /JSON/ },
    { what: 'that is no number', length: 'ten', says: /Inference-Header-Content-Length/ },
  ])('a length of the JSON $what', async ({ length, says }) => {
    const headers = { 'inference-header-content-length': length };
    const { status, json } = await platform.infer('digits', inputs(pixels), { headers });
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: expect.stringMatching(says) });
  });

  test('a binary tensor that is longer than its shape', async () => {
    const binary = { name: 'pixels', datatype: 'FP32', shape: [1, 64], parameters: { binary_data_size: 260 } };
    const head = Buffer.from(JSON.stringify({ inputs: [binary] }));
    const headers = { 'inference-header-content-length': head.length };
    const { status, json } = await platform.infer('digits', Buffer.concat([head, Buffer.alloc(260)]), { headers });
    expect({ status, error: json['error'] }).toEqual({ status: 400, error: expect.stringMatching(/pixels.*25[66]/) });
  });
});

describe('a body over the limit is a 413', () => {
  test('as soon as its length says so', async () => {
    const { status, json } = await platform.infer('digits', 'x', { headers: { 'content-length': MAX_BODY_BYTES + 1 } });
    expect({ status, code: json['code'] }).toEqual({ status: 413, code: 'body-too-large' });
    expect(json['error']).toMatch(String(MAX_BODY_BYTES));
  });

  test('when it says no length, once it has come so far', async () => {
    const { status, json } = await platform.infer('digits', Buffer.alloc(MAX_BODY_BYTES + 1, ' '), {
      headers: { 'transfer-encoding': 'chunked' },
    });
    expect(status).toBe(413);
    expect(json['error']).toMatch(String(MAX_BODY_BYTES));
  });
});

describe('a client that lies or leaves harms nobody', () => {
  afterEach(async () => {
    await platform.untilLoad('digits', 'nothing in it', ({ inFlight, queued }) => inFlight + queued === 0);
    expect((await platform.infer('digits', DIGITS.request)).status).toBe(200);
    expect((await platform.pods('digits')).map(({ metadata }) => metadata.name)).toEqual(['digits-00001-0']);
  });

  test.each([
    { what: 'a length beyond the body', fields: `content-length: ${DIGITS.request.length + 1}` },
    { what: 'a length short of the body', fields: 'content-length: 10' },
    { what: 'two lengths', fields: 'content-length: 10\r\ncontent-length: 11' },
    { what: 'a length and chunks', fields: 'content-length: 10\r\ntransfer-encoding: chunked' },
    { what: 'a length that is no number', fields: 'content-length: ten' },
  ])('$what', async ({ fields }) => {
    const url = new URL(platform.url('digits', `${MODEL_PATH}/infer`));
    const head = `POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\n${fields}\r\n\r\n`;
    expect(await talk(Number(url.port), head + DIGITS.request)).toMatch(/^HTTP\/1\.1 400 .*"code":"bad-request"/s);
  });

  test('an upload that breaks off in a pod', async () => {
    const upload = new UnfinishedRequest(platform.url('digits', `${MODEL_PATH}/infer`), DIGITS.request);
    await platform.untilLoad('digits', 'one in a pod', ({ inFlight }) => inFlight === 1);
    upload.abort();
  });

  test('an upload that breaks off before it has a pod', async () => {
    const url = new URL(platform.url('digits', `${MODEL_PATH}/infer`));
    const socket = connect(Number(url.port), '127.0.0.1');
    socket.write(`POST ${url.pathname} HTTP/1.1\r\nhost: ${url.host}\r\ncontent-length: 1000\r\n\r\n{`, () =>
      socket.destroy(),
    );
    await once(socket, 'close');
  });
});

test('a place in the queue is free at once when its client leaves', async () => {
  const first = new AbortController();
  const left = platform.infer('late', DIGITS.request, { signal: first.signal });
  await platform.untilLoad('late', 'one in its queue', ({ queued }) => queued === 1);

  const full = await platform.infer('late', DIGITS.request);
  expect({ status: full.status, code: full.json['code'] }).toEqual({ status: 429, code: 'queue-full' });
  expect(full.json['error']).toMatch(/1 requests wait for late \(queue\.maxRequests\)/);
  expect(full.headers['retry-after']).toBe('1');

  first.abort();
  await expect(left).rejects.toThrow();
  await platform.untilLoad('late', 'none in its queue', ({ queued }) => queued === 0);

  const second = platform.infer('late', DIGITS.request);
  await platform.untilLoad('late', 'one in its queue again', ({ queued }) => queued === 1);
  models.release('/late.onnx', DIGITS.model);
  expect((await second).status).toBe(200);
});

function inputs(...all: readonly object[]): string {
  return JSON.stringify({ inputs: all });
}

/** What the other side answers to this, which is all that it gets. */
async function talk(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.end(text);
  await closed;
  return Buffer.concat(chunks).toString();
}
