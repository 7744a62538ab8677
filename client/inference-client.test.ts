/** The client before a real runtime, whose model answers with its input. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeTestRuntimes, testRuntime, type TestRuntime } from '../runtime/runtime.fixture.ts';
import { InferenceClient, type ClientOptions } from './inference-client.ts';
import { InferenceError } from './inference-error.ts';
import type { InputTensor, OutputTensor } from './tensors.ts';

interface Digits {
  readonly inputs: { readonly x: { readonly datatype: 'FP32'; readonly shape: [number, 2] } };
  readonly outputs: { readonly y: { readonly datatype: 'FP32'; readonly shape: [number, 2] } };
}

const X: InputTensor<'FP32', [number, 2]> = { shape: [1, 2], data: Float32Array.of(3, 4) };

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await once(server.close(), 'close');
  }
  await closeTestRuntimes();
});

function clientOf({ runtime }: TestRuntime, options: ClientOptions = {}): InferenceClient {
  return new InferenceClient(`http://127.0.0.1:${runtime.ports.http}`, options);
}

/** A server that answers each request by `answer`, and the address of it. */
async function serve(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

describe('an inference', () => {
  test.each(['binary', 'json'] as const)('sends %s and gives typed arrays', async (encoding) => {
    const client = clientOf(await testRuntime(), { encoding });
    const result = await client.model<Digits>('digits').infer({ x: X }, { id: 'request-7', outputs: ['y'] });
    expect(result).toMatchObject({
      outputs: { y: { datatype: 'FP32', shape: [1, 2], data: Float32Array.of(3, 4) } },
      model: 'digits',
      version: 'digits-00001',
      id: 'request-7',
      revision: 'digits-00001',
      coldStart: undefined,
    });
  });

  test('without a schema its outputs are told apart by their datatype', async () => {
    const { outputs } = await clientOf(await testRuntime())
      .model('digits', 'digits-00001')
      .infer({ x: X });
    const y: OutputTensor | undefined = outputs['y'];
    const numbers: Float32Array | undefined = y?.datatype === 'FP32' ? y.data : undefined;
    expect(numbers).toEqual(Float32Array.of(3, 4));
  });

  test('gives what a gateway adds', async () => {
    const url = await serve((_request, response) => {
      response.setHeader('pilotlight-cold-start', '398');
      response.setHeader('server-timing', 'queue;dur=398.2, start-session;dur=21, pod;dur=1.5');
      response.end('{"model_name":"digits","outputs":[]}');
    });
    const result = await new InferenceClient(url).model('digits').infer({ x: X });
    expect(result.coldStart).toBe(398);
    expect(result.serverTiming).toEqual({ queue: 398.2, 'start-session': 21, pod: 1.5 });
  });

  test('sends priority, queue timeout and other parameters as the protocol names them', async () => {
    let body = '';
    const url = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => response.end('{"outputs":[]}'));
    });
    const options = { encoding: 'json', headers: { authorization: 'Bearer a' } } as const;
    await new InferenceClient(url, options)
      .model('digits')
      .infer({ x: X }, { priority: 1, queueTimeout: 1.5, parameters: { sequence_id: 7 } });
    expect(JSON.parse(body)).toMatchObject({ parameters: { sequence_id: 7, priority: 1, timeout: 1500 } });
  });

  test('goes below the path of its address, with the headers of client and call', async () => {
    let seen: unknown;
    const url = await serve(({ url: path, headers }, response) => {
      seen = [path, headers.authorization, headers['x-tenant'], headers['inference-header-content-length']];
      response.end('{"outputs":[]}');
    });
    const client = new InferenceClient(`${url}/functions/default/digits/`, { headers: { authorization: 'Bearer a' } });
    await client.model('a/b', 'v 1').infer({ x: X }, { headers: { 'x-tenant': 't' } });
    const path = '/functions/default/digits/v2/models/a%2Fb/versions/v%201/infer';
    expect(seen).toEqual([path, 'Bearer a', 't', expect.stringMatching(/^\d+$/)]);
  });
});

test('says what server and model are, and whether they are ready', async () => {
  const client = clientOf(await testRuntime());
  const model = client.model('digits');
  expect(await client.metadata()).toMatchObject({ name: 'pilotlight' });
  expect(await model.metadata()).toMatchObject({ inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] });
  expect([await client.isReady(), await model.isReady()]).toEqual([true, true]);
  await expect(client.model('digit').isReady()).rejects.toMatchObject({ status: 404 });
});

test.each([503, 400])('a server that answers %i is not ready', async (status) => {
  const url = await serve((_request, response) => response.writeHead(status).end());
  expect(await new InferenceClient(url).isReady()).toBe(false);
});

test('gives configuration and statistics as the server has them', async () => {
  const url = await serve(({ url: path }, response) => {
    response.end(path === '/v2/models/m/stats' ? '{"model_stats":[{"name":"m"}]}' : `{"path":"${path ?? ''}"}`);
  });
  const model = new InferenceClient(url).model('m');
  expect(await model.config()).toEqual({ path: '/v2/models/m/config' });
  expect(await model.statistics()).toEqual([{ name: 'm' }]);
});

describe('a server without the binary extension', () => {
  const answers = async (
    extensions: readonly string[],
  ): Promise<{ readonly url: string; readonly seen: string[]; readonly json: object[] }> => {
    const seen: string[] = [];
    const json: object[] = [];
    const url = await serve((request, response) => {
      const isBinary = request.headers['inference-header-content-length'] !== undefined;
      seen.push(request.url === '/v2' ? 'metadata' : isBinary ? 'binary' : 'json');
      if (request.url === '/v2') return void response.end(JSON.stringify({ name: 's', version: '1', extensions }));
      if (isBinary) return void response.writeHead(422).end('{"detail":"not JSON"}');
      const y = { name: 'y', datatype: 'INT64', shape: [1], data: [7] };
      response.end(JSON.stringify({ model_name: 'm', outputs: [y] }));
    });
    return { url, seen, json };
  };

  test('gets JSON once it has refused bytes, and from then on', async () => {
    const { url, seen } = await answers([]);
    const model = new InferenceClient(url).model('m');
    expect((await model.infer({ x: X })).outputs['y']?.data).toEqual(BigInt64Array.of(7n));
    await model.infer({ x: X });
    expect(seen).toEqual(['binary', 'metadata', 'json', 'json']);
  });

  test('one that has it is believed', async () => {
    const { url, seen } = await answers(['binary_tensor_data']);
    const model = new InferenceClient(url).model('m');
    await expect(model.infer({ x: X })).rejects.toThrow('not JSON');
    await expect(model.infer({ x: X })).rejects.toThrow('not JSON');
    expect(seen).toEqual(['binary', 'metadata', 'binary']);
  });
});

describe('an error', () => {
  test('says what the server said', async () => {
    const client = clientOf(await testRuntime());
    const failed = client.model('digits').infer({ X1: X });
    await expect(failed).rejects.toBeInstanceOf(InferenceError);
    await expect(failed).rejects.toMatchObject({
      message: 'The model has no input "X1"; did you mean "x"?',
      status: 400,
      code: undefined,
      retryable: false,
    });
  });

  test('of a tensor comes before anything is sent', async () => {
    const fetch = (): Promise<Response> => Promise.reject(new Error('Something was sent.'));
    const model = new InferenceClient('http://nowhere', { fetch }).model('m');
    await expect(model.infer({ x: { shape: [3], data: Float32Array.of(1) } })).rejects.toMatchObject({
      code: 'invalid-tensor',
    });
  });

  test.each<[about: string, headers: Record<string, string>, body: string, says: string]>([
    ['a page', {}, '<html>', 'it is not JSON'],
    [
      'binary without its header',
      { 'content-type': 'application/octet-stream' },
      '{}',
      'access-control-expose-headers',
    ],
  ])('of an answer that is %s says so', async (_about, headers, body, says) => {
    const url = await serve((_request, response) => response.writeHead(200, headers).end(body));
    const failed = new InferenceClient(url).model('m').infer({ x: X });
    await expect(failed).rejects.toMatchObject({ code: 'invalid-answer' });
    await expect(failed).rejects.toThrow(says);
  });

  test.each(['ftp://a', 'http://a?b', 'nonsense'])('the address %s is refused at once', (url) => {
    expect(() => new InferenceClient(url)).toThrow(TypeError);
  });
});

describe('a call that is ended', () => {
  test('rejects with its signal’s reason, and its place in the pod is free', async () => {
    const test = await testRuntime();
    const model = clientOf(test).model('digits');
    test.model.hold();
    const running = model.infer({ x: X });
    const stop = new AbortController();
    const waiting = model.infer({ x: X }, { signal: stop.signal });
    while (test.model.load.waiting < 1) await new Promise(setImmediate);
    const reason = new Error('The user left.');
    stop.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    while (test.model.load.waiting > 0) await new Promise(setImmediate);
    test.model.release();
    await running;
  });

  test('begins nothing if it was ended before', async () => {
    const fetch = (): Promise<Response> => Promise.reject(new Error('Something was sent.'));
    const reason = new Error('The user left.');
    const model = new InferenceClient('http://nowhere', { fetch }).model('m');
    await expect(model.infer({ x: X }, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
