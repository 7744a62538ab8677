import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '../../common/platform/logging.ts';
import { FakeModel } from '../fake-model.ts';
import { InferenceError, type InferenceResult } from '../inference.ts';
import { closeTestRuntimes, INFER, POD, ROW, testRuntime } from '../runtime.fixture.ts';

afterEach(closeTestRuntimes);

describe('the protocol', () => {
  test('answers JSON with JSON, under the function’s name and the revision’s', async () => {
    const { infer } = await testRuntime();
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
    const { infer } = await testRuntime();
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
    const { infer } = await testRuntime();
    const tensor = Buffer.from(new Float32Array([3, 4]).buffer);
    const { headers, body } = await infer({ body: tensor, headers: { 'inference-header-content-length': 0 } });
    expect(body.subarray(Number(headers['inference-header-content-length']))).toEqual(tensor);
  });

  test('bodies of many pieces at once, whose memory is used again, stay apart', async () => {
    const { infer, model } = await testRuntime({ maxBodyBytes: 1_000_000 });
    const rows = 40_000;
    for (let round = 0; round < 3; round++) {
      const tensors = Array.from({ length: 6 }, (_, index) =>
        Buffer.from(new Float32Array(2 * rows).fill(10 * round + index).buffer),
      );
      const answers = await Promise.all(
        tensors.map((body) => infer({ body, headers: { 'inference-header-content-length': 0 } })),
      );
      for (const [index, { headers, body }] of answers.entries()) {
        const given = body.subarray(Number(headers['inference-header-content-length']));
        expect(tensors[index]?.equals(given)).toBe(true);
      }
    }
    expect(model.requests.every(({ inputs: [input] }) => input?.data.byteLength === 0)).toBe(true);
  });

  test.each<[path: string, status: number, json: object]>([
    ['/v2', 200, { name: 'pilotlight', extensions: expect.arrayContaining(['binary_tensor_data', 'statistics']) }],
    ['/v2/', 200, { name: 'pilotlight' }],
    ['/v2/health/live', 200, { live: true }],
    ['/v2/health/ready', 200, { ready: true }],
    ['/v2/models/digits', 200, { name: 'digits', versions: ['digits-00001'], platform: 'onnx_onnxv1' }],
    ['/v2/models/digits', 200, { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] }],
    ['/v2/models/digits', 200, { parameters: { batching: false, batching_reason: 'A fake does not batch.' } }],
    ['/v2/models/digits/versions/1', 200, { name: 'digits' }],
    ['/v2/models/digits/versions/digits-00001', 200, { name: 'digits' }],
    ['/v2/models/digits/', 200, { name: 'digits' }],
    ['/v2/models/digits?verbose=1', 200, { name: 'digits' }],
    ['/v2/models/digit%73', 200, { name: 'digits' }],
    ['/v2/models/digits/ready', 200, { name: 'digits', ready: true }],
    ['/v2/models/digits/versions/1/ready', 200, { name: 'digits', ready: true }],
    ['/v2/models/other', 404, { error: 'There is no model "other" here; "digits" is served.' }],
    ['/v2/models/digits/versions/2', 404, { error: 'Model "digits" has no version "2"; "digits-00001" is served.' }],
    ['/v2/models/digits/infer', 405, { error: 'GET is not answered here; POST is.' }],
    ['/nothing', 404, { error: 'There is nothing at "/nothing"; the model is at /v2/models/digits.' }],
    [
      '/v2/models/digits/nothing',
      404,
      { error: 'There is nothing at "/v2/models/digits/nothing"; the model is at /v2/models/digits.' },
    ],
    ['/v2/models/toString/ready', 404, { error: 'There is no model "toString" here; "digits" is served.' }],
    ['/v2/models/%zz', 400, { error: 'The path "/v2/models/%zz" is not valid percent-encoding.' }],
  ])('GET %s is answered %i with %j', async (path, status, json) => {
    const { send } = await testRuntime();
    const answer = await send(path);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject(json);
    expect(answer.headers['pilotlight-pod-uid']).toBe(POD.uid);
    expect(answer.headers['pilotlight-revision']).toBe('digits-00001');
  });

  test.each(['/v2/models/other/infer', '/v2/models/digits/versions/2/infer'])(
    'POST %s is answered 404',
    async (path) => {
      const { send } = await testRuntime();
      expect((await send(path, { method: 'POST', body: ROW })).status).toBe(404);
    },
  );

  test('a wrong verb is told which is right', async () => {
    const { send } = await testRuntime();
    const { status, headers } = await send('/v2/health/ready', { method: 'DELETE' });
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  });

  test('HEAD is answered like GET, without the body', async () => {
    const { send } = await testRuntime();
    const { status, headers, body } = await send('/v2/health/ready', { method: 'HEAD' });
    expect([status, headers['content-length'], body.length]).toEqual([200, '14', 0]);
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
    ['a strange coding', ROW, { 'content-encoding': 'br' }, 415, 'Content-Encoding "br" is not understood'],
    ['gzip twice', ROW, { 'content-encoding': 'gzip, gzip' }, 415, 'is not understood'],
    ['what only says that it is gzip', ROW, { 'content-encoding': 'gzip' }, 400, 'The body is not valid gzip'],
  ])('%s is answered with a sentence about it', async (_about, body, headers, status, says) => {
    const { infer, runtime, clock } = await testRuntime();
    const answer = await infer({ body, headers });
    expect(answer.status).toBe(status);
    expect(answer.json['error']).toContain(says);
    expect(answer.headers['pilotlight-pod-uid']).toBe(POD.uid);
    expect((await infer()).status).toBe(200);
    const closed = runtime.close();
    await clock.advance(1_000);
    await closed;
  });

  test('a body without an announced length is bounded too', async () => {
    const { infer } = await testRuntime();
    const answer = await infer({ body: ' '.repeat(10_001), headers: { 'transfer-encoding': 'chunked' } });
    expect(answer.status).toBe(413);
  });

  test.each(['text/plain', '?'])('the content type %s will do as any other', async (type) => {
    const { infer } = await testRuntime();
    expect((await infer({ headers: { 'content-type': type } })).status).toBe(200);
  });

  test('what is not HTTP is answered with the pod’s headers', async () => {
    const { runtime } = await testRuntime();
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await once(socket, 'close');
    expect(text).toContain('HTTP/1.1 400 Bad Request\r\n');
    expect(text).toContain(`pilotlight-pod-uid: ${POD.uid}\r\n`);
  });

  test('an upload that is broken off, or shorter than it said, frees its place and fills no log', async () => {
    const log: string[] = [];
    const logger = createLogger('test', 'warn', (line) => log.push(line));
    const { runtime, metrics } = await testRuntime({ logger });
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.write(`POST ${INFER} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{`);
    const inFlight = async (): Promise<string | undefined> =>
      /pilotlight_runtime_requests_in_flight\S* (\d)/.exec(await metrics())?.[1];
    while ((await inFlight()) !== '1');
    socket.destroy();
    while ((await inFlight()) !== '0');
    expect(log).toEqual([]);
    expect(await metrics()).toMatch(/nv_inference_request_failure\{.*reason="CANCELED"\} 1/);
  });

  test('a head that is too large is answered with the pod’s headers', async () => {
    const { send } = await testRuntime();
    const { status, headers, json } = await send('/v2', { headers: { large: 'x'.repeat(41_000) } });
    expect([status, headers['pilotlight-pod-uid']]).toEqual([431, POD.uid]);
    expect(json['error']).toContain('Request Header Fields Too Large');
    expect((await send('/v2', { headers: { large: 'x'.repeat(38_000) } })).status).toBe(200);
  });

  test('an expectation that nobody meets is refused', async () => {
    const { infer } = await testRuntime();
    const { status, headers } = await infer({ headers: { expect: 'a miracle' } });
    expect([status, headers['pilotlight-pod-uid']]).toEqual([417, POD.uid]);
  });

  test.each<[about: string, body: string]>([
    ['a shape of more than there is', ROW.replace('[1,2],', '[1000000000,2],')],
    ['dimensions that overflow', ROW.replace('[1,2],', '[2147483647,2147483647,2147483647],')],
    ['a negative dimension', ROW.replace('[1,2],', '[-1,2],')],
    ['NaN', ROW.replace('[1,2]}', '[NaN,2]}')],
    ['Infinity', ROW.replace('[1,2]}', '[Infinity,2]}')],
    ['a number beyond all', ROW.replace('[1,2]}', '[1e999,2]}')],
    ['an integer beyond 64 bits for a dimension', ROW.replace('[1,2],', '[18446744073709551616,2],')],
    ['a prototype', ROW.replace('"x"', '"x","__proto__":{"data":[1,2]}').replace('"data":[1,2]}]', '"no":1}]')],
    ['a name from the prototype', ROW.replace('"x"', '"__proto__"')],
    ['no inputs', '{"inputs":[]}'],
    ['depth', `{"inputs":${'['.repeat(4_000)}${']'.repeat(4_000)}}`],
    ['depth without end', '['.repeat(9_000)],
    ['many inputs', `{"inputs":[${Array.from({ length: 900 }, () => '{}').join(',')}]}`],
  ])('%s in the JSON is a bad request', async (_about, body) => {
    const { infer } = await testRuntime();
    expect((await infer({ body })).status).toBe(400);
    expect((await infer()).status).toBe(200);
  });

  test('bytes that are not UTF-8 are a bad request', async () => {
    const { infer } = await testRuntime();
    expect((await infer({ body: Buffer.from(ROW.replace('"x"', '"\xff"'), 'latin1') })).status).toBe(400);
  });

  test('a fault of ours is answered 500 and logged, and the process goes on', async () => {
    const log: string[] = [];
    const logger = createLogger('test', 'error', (line) => log.push(line));
    class Faulty extends FakeModel {
      override infer(): Promise<InferenceResult> {
        return Promise.resolve({} as InferenceResult);
      }
    }
    const { infer, send, runtime } = await testRuntime({ logger }, Promise.resolve(new Faulty()));
    await runtime.ready;
    const { status, json } = await infer();
    expect([status, json['error']]).toEqual([500, 'The runtime failed to answer; its log says why.']);
    expect(log).toEqual([expect.stringContaining('Failed to answer a request')]);
    expect((await send('/v2')).status).toBe(200);
  });

  test('data that the model cannot run on is the client’s fault', async () => {
    const { infer, model } = await testRuntime();
    model.failNext(new InferenceError('indices are out of range'));
    const { status, json } = await infer();
    expect(status).toBe(400);
    expect(json['error']).toBe('The model cannot run on this: indices are out of range');
  });
});

test('a gateway that asks is told of the admission before it sends the body, and of a refusal instead', async () => {
  const { runtime, send } = await testRuntime();
  const begin = async (): Promise<string> => {
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.write(`POST ${INFER} HTTP/1.1\r\nhost: x\r\npilotlight-tell-admission: 1\r\ncontent-length: 1000\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return first.toString();
  };
  expect(await begin()).toBe('HTTP/1.1 102 Processing\r\n\r\n');
  const drain = {
    method: 'POST',
    headers: { authorization: `Bearer ${POD.drainToken}` },
    port: runtime.ports.control ?? 0,
  };
  await send('/v1/drain', drain);
  expect(await begin()).toMatch(/^HTTP\/1.1 503 [^]*pilotlight-not-admitted: Draining/);
});

test('a client that asks to go on is told to when it is admitted, and not before', async () => {
  const { runtime } = await testRuntime();
  const begin = async (path: string): Promise<string> => {
    const socket = connect(runtime.ports.http, '127.0.0.1');
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return first.toString();
  };
  expect(await begin(INFER)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  expect(await begin('/nothing')).toMatch(/^HTTP\/1.1 404 /);
});

test('the metrics count every request once, and show a provider that is not there', async () => {
  const { infer, metrics, model, runtime, send } = await testRuntime();
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
