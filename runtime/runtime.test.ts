import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { InferenceError, StartError, type Model } from './inference.ts';
import { INFER, POD, ROW, testRuntime, type TestRuntime } from './runtime.fixture.ts';

const started: TestRuntime[] = [];

async function start(...args: Parameters<typeof testRuntime>): Promise<TestRuntime> {
  const runtime = await testRuntime(...args);
  started.push(runtime);
  return runtime;
}

afterEach(async () => {
  for (const { model, runtime, clock } of started.splice(0)) {
    model.release();
    await runtime.close();
    expect(clock.pending).toBe(0);
  }
});

/** Waits for what another part of the process will do in a later turn of the event loop. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const GATEWAY = { 'pilotlight-pod-uid': POD.uid };

describe('the protocol', () => {
  test('answers JSON with JSON, under the function’s name and the revision’s', async () => {
    const { infer } = await start();
    const { status, headers, json } = await infer();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(json).toEqual({
      model_name: 'digits',
      model_version: 'digits-00001',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
    });
  });

  test('answers binary with binary', async () => {
    const { infer } = await start();
    const json =
      '{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}]}';
    const tensor = Buffer.from(new Float32Array([3, 4]).buffer);
    const { status, headers, body } = await infer({
      body: Buffer.concat([Buffer.from(json), tensor]),
      headers: { 'inference-header-content-length': json.length, 'content-type': 'application/octet-stream' },
    });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(body.subarray(Number(headers['inference-header-content-length']))).toEqual(tensor);
  });

  test('answers raw bytes with raw bytes', async () => {
    const { infer } = await start();
    const tensor = Buffer.from(new Float32Array([3, 4]).buffer);
    const { headers, body } = await infer({ body: tensor, headers: { 'inference-header-content-length': 0 } });
    expect(body.subarray(Number(headers['inference-header-content-length']))).toEqual(tensor);
  });

  test.each<[path: string, status: number, json: object]>([
    ['/v2', 200, { name: 'pilotlight', extensions: ['binary_tensor_data'] }],
    ['/v2/', 200, { name: 'pilotlight' }],
    ['/v2/health/live', 200, { live: true }],
    ['/v2/health/ready', 200, { ready: true }],
    ['/v2/models/digits', 200, { name: 'digits', versions: ['digits-00001'], platform: 'onnx_onnxv1' }],
    ['/v2/models/digits', 200, { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] }],
    ['/v2/models/digits', 200, { parameters: { batching: false, batching_reason: 'A fake does not batch.' } }],
    ['/v2/models/digits/versions/1', 200, { name: 'digits' }],
    ['/v2/models/digits/versions/digits-00001', 200, { name: 'digits' }],
    ['/v2/models/digits/ready', 200, { name: 'digits', ready: true }],
    ['/v2/models/digits/versions/1/ready', 200, { name: 'digits', ready: true }],
    ['/v2/models/other', 404, { error: 'There is no model "other" here; "digits" is served.' }],
    ['/v2/models/digits/versions/2', 404, { error: 'Model "digits" has no version "2"; "digits-00001" is served.' }],
    ['/v2/models/digits/infer', 405, { error: 'GET is not answered here; POST is.' }],
    ['/nothing', 404, { error: 'There is nothing at "/nothing"; the model is at /v2/models/digits.' }],
    ['/v2/models/%zz', 400, {}],
  ])('GET %s is answered %i with %j', async (path, status, json) => {
    const { send } = await start();
    const answer = await send(path);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(json);
    expect(answer.headers['pilotlight-pod-uid']).toBe(POD.uid);
    expect(answer.headers['pilotlight-revision']).toBe('digits-00001');
  });

  test.each(['/v2/models/other/infer', '/v2/models/digits/versions/2/infer'])(
    'POST %s is answered 404',
    async (path) => {
      const { send } = await start();
      expect((await send(path, { method: 'POST', body: ROW })).status).toBe(404);
    },
  );

  test('a wrong verb is told which is right', async () => {
    const { send } = await start();
    const { status, headers } = await send('/v2/health/ready', { method: 'DELETE' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });
});

describe('bad input', () => {
  test.each<[about: string, body: string, headers: Record<string, string>, status: number, says: string]>([
    ['no body', '', {}, 400, 'The request is not JSON'],
    ['a wrong name', ROW.replace('"x"', '"X1"'), {}, 400, 'The model has no input "X1"; did you mean "x"?'],
    ['a wrong datatype', ROW.replace('FP32', 'INT32'), {}, 400, 'Input "x" must be FP32 but is INT32.'],
    ['a wrong shape', ROW.replace('[1,2],', '[2,1],'), {}, 400, 'must have the shape [-1, 2], -1 being any'],
    ['a wrong number of elements', ROW.replace('[1,2]}', '[1]}'), {}, 400, 'data has 1 elements'],
    ['too large a body', ' '.repeat(10_001), {}, 413, 'The body is larger than the 10000 bytes that are taken.'],
    ['a compressed body', ROW, { 'content-encoding': 'gzip' }, 415, 'Content-Encoding "gzip" is not understood'],
    ['a type that is none', ROW, { 'content-type': '?' }, 415, ''],
  ])('%s is answered with a sentence about it', async (_about, body, headers, status, says) => {
    const { infer, runtime } = await start();
    const answer = await infer({ body, headers });
    expect(answer.status).toBe(status);
    expect(answer.json['error']).toContain(says);
    expect(answer.headers['pilotlight-pod-uid']).toBe(POD.uid);
    expect((await infer()).status).toBe(200);
    await runtime.close();
  });

  test('a body without an announced length is bounded too', async () => {
    const { infer } = await start();
    const answer = await infer({ body: ' '.repeat(10_001), headers: { 'transfer-encoding': 'chunked' } });
    expect(answer.status).toBe(413);
  });

  test('any content type will do', async () => {
    const { infer } = await start();
    expect((await infer({ headers: { 'content-type': 'text/plain' } })).status).toBe(200);
  });

  test('what is not HTTP is answered with the pod’s headers', async () => {
    const { runtime } = await start();
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, 'close');
    expect(text).toContain('HTTP/1.1 400 Bad Request\r\n');
    expect(text).toContain(`pilotlight-pod-uid: ${POD.uid}\r\n`);
  });

  test('an upload that is broken off, or shorter than it said, frees its place', async () => {
    const { runtime, metrics } = await start();
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.write(`POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{`);
    const inFlight = async (): Promise<string | undefined> =>
      /pilotlight_runtime_requests_in_flight\S* (\d)/.exec(await metrics())?.[1];
    while ((await inFlight()) !== '1');
    socket.destroy();
    while ((await inFlight()) !== '0');
    expect(await metrics()).toMatch(/nv_inference_request_failure\{.*reason="CANCELED"\} 1/);
  });

  test('data that the model cannot run on is the client’s fault', async () => {
    const { infer, model } = await start();
    model.failNext(new InferenceError('indices are out of range'));
    const { status, json } = await infer();
    expect(status).toBe(400);
    expect(json['error']).toBe('The model cannot run on this: indices are out of range');
  });
});

describe('admission', () => {
  test.each(['/v2', '/v2/models/digits', INFER, '/nothing'])('%s of another pod is refused', async (path) => {
    const { send } = await start();
    const { status, headers } = await send(path, {
      method: path === INFER ? 'POST' : 'GET',
      headers: { 'pilotlight-pod-uid': 'uid-2' },
    });
    expect(status).toBe(421);
    expect(headers['pilotlight-not-admitted']).toBe('WrongPod');
    expect(headers['pilotlight-pod-uid']).toBe(POD.uid);
  });

  test('listens, and refuses, while the model is still loading', async () => {
    const { promise, resolve } = Promise.withResolvers<Model>();
    const { infer, send, runtime, model } = await start({}, promise);
    const { status, headers, json } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'NotReady']);
    expect(json['error']).toBe('The model is still being loaded.');
    expect((await send('/v2/health/live')).status).toBe(200);
    expect((await send('/v2/health/ready')).json).toEqual({ ready: false });
    expect((await send('/v2/health/ready')).status).toBe(503);
    expect((await send('/v2/models/digits')).headers['pilotlight-not-admitted']).toBe('NotReady');
    expect((await send('/readyz', { port: runtime.ports.metrics })).status).toBe(503);
    resolve(model);
    await runtime.ready;
    expect((await infer()).status).toBe(200);
    expect((await send('/readyz', { port: runtime.ports.metrics })).status).toBe(200);
  });

  test('keeps to the limit that the gateway names', async () => {
    const { infer, model } = await start();
    model.hold();
    const headers = { ...GATEWAY, 'pilotlight-concurrency-limit': 1 };
    const first = infer({ headers });
    await until(() => model.load.running === 1);
    const { status, headers: refused } = await infer({ headers });
    expect([status, refused['pilotlight-not-admitted']]).toEqual([429, 'LimitReached']);
    model.release();
    expect((await first).status).toBe(200);
    expect((await infer({ headers })).status).toBe(200);
  });

  test('a client that leaves while it waits frees its place at once', async () => {
    const { infer, model, metrics } = await start();
    model.hold();
    const first = infer();
    await until(() => model.load.running === 1);
    const leaving = new AbortController();
    const second = infer({ signal: leaving.signal }).catch(() => 'left');
    await until(() => model.load.waiting === 1);
    leaving.abort();
    expect(await second).toBe('left');
    await until(() => model.load.waiting === 0);
    expect(await metrics()).toMatch(/requests_in_flight\S* 1/);
    model.release();
    expect((await first).status).toBe(200);
  });
});

describe('time', () => {
  const headers = { ...GATEWAY, 'pilotlight-timeout-ms': 500 };

  test('a run that is too long is answered 504 and keeps its place until it ends', async () => {
    const { infer, model, clock, fatal } = await start();
    model.hold();
    const answer = infer({ headers });
    await until(() => model.load.running === 1);
    await clock.advance(500);
    const { status, json } = await answer;
    expect([status, json['error']]).toEqual([504, 'The model took longer than 0.5 s.']);
    const limited = { ...GATEWAY, 'pilotlight-concurrency-limit': 1 };
    expect((await infer({ headers: limited })).status).toBe(429);
    model.release();
    await until(() => model.load.running === 0);
    expect((await infer({ headers: limited })).status).toBe(200);
    await clock.advance(500);
    expect(fatal).toEqual([]);
  });

  test('a run past twice its time is fatal', async () => {
    const { infer, model, clock, fatal } = await start();
    model.hold();
    const answer = infer({ headers });
    await until(() => model.load.running === 1);
    await clock.advance(999);
    expect(fatal).toEqual([]);
    await clock.advance(1);
    expect(fatal).toEqual(['A run went on for more than twice its 0.5 s.']);
    expect((await answer).status).toBe(504);
  });

  test('the specification’s time holds for who calls directly', async () => {
    const { infer, model, clock } = await start();
    model.hold();
    const answer = infer({ headers: { 'pilotlight-timeout-ms': 1 } });
    await until(() => model.load.running === 1);
    await clock.advance(59_999);
    expect(model.load.running).toBe(1);
    await clock.advance(1);
    expect((await answer).status).toBe(504);
  });

  test('a model whose thread dies is fatal, and its requests get no answer', async () => {
    const { infer, model, fatal } = await start();
    model.hold();
    const answer = infer().catch((error: unknown) => (error as Error).message);
    await until(() => model.load.running === 1);
    model.failNext(new Error('The thread ended.'));
    model.fail(new Error('The thread ended.'));
    model.release();
    expect(await answer).toBe('socket hang up');
    expect(fatal).toEqual(['The thread ended.']);
  });
});

describe('the end', () => {
  const drain = (token = POD.drainToken): { method: string; headers: Record<string, string> } => ({
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });

  test('a drain if idle is refused while busy, and stops admission when not', async () => {
    const { infer, send, runtime, model } = await start();
    const port = runtime.ports.control ?? 0;
    model.hold();
    const busy = infer();
    await until(() => model.load.running === 1);
    const refused = await send('/v1/drain?ifIdle', { ...drain(), port });
    expect([refused.status, refused.json]).toEqual([409, { error: 'busy', inFlight: 1 }]);
    model.release();
    expect((await busy).headers.connection).toBe('close'); // The test's client asks for that.
    await until(() => model.load.running === 0);
    const accepted = await send('/v1/drain?ifIdle', { ...drain(), port });
    expect([accepted.status, accepted.json]).toEqual([200, { draining: true, inFlight: 0 }]);
    const { status, headers } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'Draining']);
    expect((await send('/v2/health/ready')).status).toBe(503);
    expect((await send('/v2/health/live')).status).toBe(200);
  });

  test('a drain lapses without a SIGTERM', async () => {
    const { infer, send, runtime, clock } = await start();
    await send('/v1/drain', { ...drain(), port: runtime.ports.control ?? 0 });
    expect((await infer()).status).toBe(503);
    await clock.advance(10_000);
    expect((await infer()).status).toBe(200);
  });

  test.each<[about: string, path: string, request: object, status: number]>([
    ['without a token', '/v1/drain', { method: 'POST' }, 401],
    ['with another pod’s token', '/v1/drain', drain('other'), 401],
    ['with another verb', '/v1/drain', { ...drain(), method: 'GET' }, 405],
    ['at another path', '/v1/drains', drain(), 404],
  ])('a drain %s changes nothing', async (_about, path, request, status) => {
    const { infer, send, runtime } = await start();
    expect((await send(path, { ...request, port: runtime.ports.control ?? 0 })).status).toBe(status);
    expect((await infer()).status).toBe(200);
  });

  test('a close lets what is in flight end, refuses the rest, and ends idle connections', async () => {
    const { infer, runtime, model } = await start();
    const idle = connect(runtime.ports.http, '127.0.0.1');
    await once(idle, 'connect');
    model.hold();
    const running = infer();
    await until(() => model.load.running === 1);
    const closed = runtime.close();
    const { status, headers } = await infer();
    expect([status, headers['pilotlight-not-admitted']]).toEqual([503, 'Draining']);
    expect(model.closed).toBe(false);
    model.release();
    const answer = await running;
    expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
    await closed;
    expect(model.closed).toBe(true);
    await once(idle, 'close');
  });

  test('a model that cannot be loaded fails the start, and the runtime can be closed', async () => {
    const failure = new StartError('ModelNotFound', 'There is nothing there.');
    const { runtime, infer } = await start({}, Promise.reject(failure));
    await expect(runtime.ready).rejects.toBe(failure);
    expect((await infer()).status).toBe(503);
  });

  test('a close while the model loads aborts the load', async () => {
    let aborted = false;
    const { runtime } = await start(
      {
        load: (_specification, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(signal.reason as Error);
            });
          }),
      },
      new Promise(() => undefined),
    );
    await runtime.close();
    expect(aborted).toBe(true);
    await expect(runtime.ready).rejects.toThrow('closed while its model was loading');
  });

  test('a port that is taken is a failure that names it', async () => {
    const { runtime } = await start();
    const port = runtime.ports.http;
    await expect(testRuntime({ ports: { http: port, control: 0, metrics: 0 } })).rejects.toThrow(
      expect.objectContaining({
        reason: 'ConfigurationInvalid',
        message: expect.stringContaining(`HTTP port ${port} `),
      }),
    );
  });
});

test('without a pod there is no control port, and anybody is admitted', async () => {
  const { runtime, infer } = await start({ pod: undefined });
  expect(runtime.ports).not.toHaveProperty('control');
  const { status, headers } = await infer();
  expect(status).toBe(200);
  expect(headers).not.toHaveProperty('pilotlight-pod-uid');
});

test('the metrics count every request once, and show a provider that is not there', async () => {
  const { infer, metrics, model, runtime, send } = await start();
  await infer();
  await infer({ body: '{}' });
  model.failNext(new InferenceError('no'));
  await infer();
  await infer({ headers: { 'pilotlight-pod-uid': 'uid-2' } });
  const port = runtime.ports.control ?? 0;
  await send('/v1/drain', { method: 'POST', headers: { authorization: `Bearer ${POD.drainToken}` }, port });
  await infer();
  const lines = (await metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const labels = 'model="digits",version="digits-00001"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `nv_inference_request_success{${labels}} 1`,
      `nv_inference_request_failure{${labels},reason="OTHER"} 1`,
      `nv_inference_request_failure{${labels},reason="BACKEND"} 1`,
      `nv_inference_request_failure{${labels},reason="REJECTED"} 1`,
      `nv_inference_request_failure{${labels},reason="CANCELED"} 0`,
      `nv_inference_count{${labels}} 1`,
      `nv_inference_exec_count{${labels}} 1`,
      `nv_inference_pending_request_count{${labels}} 0`,
      `nv_inference_queue_duration_us{${labels}} 1000`,
      `nv_inference_compute_input_duration_us{${labels}} 2000`,
      `nv_inference_compute_infer_duration_us{${labels}} 3000`,
      `nv_inference_compute_output_duration_us{${labels}} 4000`,
      `nv_inference_request_duration_us{${labels}} 0`,
      `pilotlight_runtime_admissions_total{${labels},result="Admitted"} 3`,
      `pilotlight_runtime_admissions_total{${labels},result="WrongPod"} 1`,
      `pilotlight_runtime_admissions_total{${labels},result="Draining"} 1`,
      `pilotlight_runtime_batch_size_count{${labels}} 1`,
      `pilotlight_runtime_execution_provider{${labels},provider="CUDA"} 0`,
      `pilotlight_runtime_execution_provider{${labels},provider="CPU"} 1`,
      `pilotlight_runtime_start_phase_seconds{${labels},phase="session"} 0.002`,
      `pilotlight_runtime_requests_in_flight{${labels}} 0`,
    ]),
  );
});
