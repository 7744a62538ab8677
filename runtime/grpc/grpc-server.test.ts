import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { ExpiredError, InferenceError, type Model } from '../inference.ts';
import { closeTestRuntimes, POD, testRuntime, type TestRuntime } from '../runtime.fixture.ts';
import { floats, framedRequest, GrpcClient, RAW_ROW, type Fields } from './grpc-client.fixture.ts';

const clients: (GrpcClient | ClientHttp2Session)[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await closeTestRuntimes();
});

function clientOf({ runtime }: TestRuntime, service?: string): GrpcClient {
  const client = new GrpcClient(runtime.ports.grpc, service === undefined ? {} : { service });
  clients.push(client);
  return client;
}

async function setup(options: Parameters<typeof testRuntime>[0] = {}): Promise<TestRuntime & { client: GrpcClient }> {
  const test = await testRuntime(options);
  return { ...test, client: clientOf(test) };
}

const infer = (client: GrpcClient, given: Fields = {}): ReturnType<GrpcClient['call']> =>
  client.call('ModelInfer', { ...RAW_ROW, ...given });

describe('ModelInfer', () => {
  test('answers raw contents with raw contents, the id and the pod’s own headers', async () => {
    const { client } = await setup();
    const { response, headers } = await infer(client, { id: 'a' });
    expect(response).toMatchObject({
      model_name: 'digits',
      model_version: 'digits-00001',
      id: 'a',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
      raw_output_contents: [floats(1, 2)],
    });
    expect(headers.get('pilotlight-pod-uid')).toEqual([POD.uid]);
    expect(headers.get('pilotlight-revision')).toEqual(['digits-00001']);
  });

  test('answers typed contents with typed contents', async () => {
    const { client } = await setup();
    const { response } = await infer(client, {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }],
      raw_input_contents: [],
    });
    expect(response).toMatchObject({ outputs: [{ contents: { fp32_contents: [1, 2] } }] });
    expect(response).not.toHaveProperty('raw_output_contents');
  });

  test('takes a message that the client compressed', async () => {
    const { runtime } = await testRuntime();
    const client = new GrpcClient(runtime.ports.grpc, { compress: true });
    clients.push(client);
    const { response } = await infer(client);
    expect(response).toMatchObject({ raw_output_contents: [floats(1, 2)] });
  });

  test('passes on priority and timeout', async () => {
    const { client, model, clock } = await setup();
    await clock.advance(1_000);
    await infer(client, { parameters: { priority: { uint64_param: 2 }, timeout: { int64_param: 3_000 } } });
    expect(model.requests.at(-1)).toMatchObject({ priority: 2, deadline: 1_003 });
  });

  test.each<[string, Fields, number, string]>([
    ['another model', { model_name: 'letters' }, status.NOT_FOUND, 'no model "letters" here; "digits" is served'],
    ['another version', { model_version: '2' }, status.NOT_FOUND, 'no version "2"'],
    [
      'an unknown input',
      { inputs: [{ name: 'z', datatype: 'FP32', shape: [1, 2] }] },
      status.INVALID_ARGUMENT,
      'no input "z"',
    ],
    [
      'a wrong datatype',
      { inputs: [{ name: 'x', datatype: 'FP64', shape: [1, 1] }] },
      status.INVALID_ARGUMENT,
      'must be FP32',
    ],
    [
      'more classes than are told apart',
      { outputs: [{ name: 'y', parameters: { classification: { int64_param: 1_001 } } }] },
      status.INVALID_ARGUMENT,
      'parameters.classification must be an integer from 0 to 1000',
    ],
    [
      'an unknown datatype',
      { inputs: [{ name: 'x', datatype: 'F', shape: [1] }] },
      status.INVALID_ARGUMENT,
      'datatype must be one of',
    ],
    [
      'a negative dimension',
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }] },
      status.INVALID_ARGUMENT,
      'shape[0]',
    ],
    ['too few bytes', { raw_input_contents: [floats(1)] }, status.INVALID_ARGUMENT, 'takes 8 bytes, but it has 4'],
    [
      'more contents than inputs',
      { raw_input_contents: [floats(1, 2), floats(1)] },
      status.INVALID_ARGUMENT,
      '2 tensors, but inputs has 1',
    ],
    [
      'contents twice',
      { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [1, 2] } }] },
      status.INVALID_ARGUMENT,
      'both raw and typed contents',
    ],
    [
      'shared memory',
      {
        inputs: [
          { name: 'x', datatype: 'FP32', shape: [1, 2], parameters: { shared_memory_region: { string_param: 'r' } } },
        ],
      },
      status.UNIMPLEMENTED,
      'shared memory',
    ],
    ['an unknown output', { outputs: [{ name: 'q' }] }, status.INVALID_ARGUMENT, 'no output "q"'],
    ['an output without a name', { outputs: [{}] }, status.INVALID_ARGUMENT, 'outputs[0].name'],
    [
      'more bytes than are taken',
      { raw_input_contents: [Buffer.alloc(20_000)] },
      status.RESOURCE_EXHAUSTED,
      '10000 are taken',
    ],
  ])('%s is refused with a status and a sentence', async (_what, given, code, sentence) => {
    const { client, runtime } = await setup();
    const { error } = await infer(client, given);
    expect(error).toMatchObject({ code, details: expect.stringContaining(sentence) });
    expect(runtime.ports.grpc).toBeGreaterThan(0);
    expect((await infer(client)).error).toBeUndefined();
  });

  test.each([
    [new InferenceError('a gather out of bounds'), status.INVALID_ARGUMENT, 'cannot run on this: a gather'],
    [new ExpiredError(), status.UNAVAILABLE, 'timeout expired'],
  ])('a run that fails with %s says so', async (failure, code, sentence) => {
    const { client, model } = await setup();
    model.failNext(failure);
    const { error } = await infer(client);
    expect(error).toMatchObject({ code, details: expect.stringContaining(sentence) });
  });

  test('a model that is lost gives no answer at all, so that a gateway tries elsewhere', async () => {
    const { client, model } = await setup();
    model.failNext(new Error('The thread ended.'));
    const { error, headers } = await infer(client);
    expect(error?.code).toBe(status.INTERNAL);
    expect(headers.get('pilotlight-pod-uid')).toEqual([]);
  });

  test('is counted as HTTP’s is', async () => {
    const { client, metrics } = await setup();
    await infer(client);
    await infer(client, { model_name: 'letters' });
    const text = await metrics();
    expect(text).toContain('nv_inference_request_success{model="digits",version="digits-00001"} 1');
    expect(text).toContain('nv_inference_request_failure{model="digits",version="digits-00001",reason="OTHER"} 1');
    expect(text).toContain(
      'pilotlight_runtime_admissions_total{model="digits",version="digits-00001",result="Admitted"} 2',
    );
  });
});

describe('admission', () => {
  test.each([
    ['another pod is named', { 'pilotlight-pod-uid': 'uid-2' }, 'WrongPod', status.UNAVAILABLE],
    [
      'the limit is reached',
      { 'pilotlight-pod-uid': POD.uid, 'pilotlight-concurrency-limit': '1' },
      'LimitReached',
      status.RESOURCE_EXHAUSTED,
    ],
  ])('where %s the call is refused before it begins', async (_when, metadata, reason, code) => {
    const { client, model, runtime } = await setup();
    model.hold();
    const running = infer(client);
    while (model.load.running === 0) await new Promise(setImmediate);
    const { error, trailers } = await client.call('ModelInfer', RAW_ROW, { metadata });
    expect(error?.code).toBe(code);
    expect(trailers.get('pilotlight-not-admitted')).toEqual([reason]);
    expect(trailers.get('pilotlight-pod-uid')).toEqual([POD.uid]);
    model.release();
    expect((await running).error).toBeUndefined();
    expect(runtime.ports.grpc).toBeGreaterThan(0);
  });

  test('a draining pod refuses, and lets go of the connection', async () => {
    const { client, send, runtime } = await setup();
    await infer(client);
    await send('/v1/drain', {
      method: 'POST',
      headers: { authorization: `Bearer ${POD.drainToken}` },
      port: runtime.ports.control ?? 0,
    });
    const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
    clients.push(session);
    const goaway = once(session, 'goaway');
    const { error, trailers } = await infer(client);
    expect(error?.code).toBe(status.UNAVAILABLE);
    expect(trailers.get('pilotlight-not-admitted')).toEqual(['Draining']);
    session.request({ ':method': 'POST', ':path': '/x', 'content-type': 'application/grpc' }).resume();
    await goaway;
  });

  test('tells a gateway that it admits before the message is whole', async () => {
    const { runtime } = await setup();
    const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
    clients.push(session);
    const stream = session.request(inferHeaders({ 'pilotlight-tell-admission': '1' }));
    stream.write(Buffer.from('0000000010', 'hex'));
    const [headers] = (await once(stream, 'headers')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(102);
    stream.close();
  });

  test.each(['a call', 'a stream'])(
    'a run that hangs cuts %s that another session works on no sooner than it is answered',
    async (kind) => {
      const test = await testRuntime({}, undefined, 2);
      const { model, clock, fatal } = test;
      const client = clientOf(test);
      const running = (count: number): Promise<unknown> =>
        until(
          () => new Promise((resolve) => setImmediate(() => resolve(model.load.running))),
          (now) => now === count,
        );
      model.hold();
      const hanging = infer(client);
      await running(1);
      await clock.advance(60_000);
      expect((await hanging).error?.code).toBe(status.DEADLINE_EXCEEDED);
      await clock.advance(59_000);
      let other: Promise<unknown>;
      if (kind === 'a stream') {
        const stream = client.stream('ModelStreamInfer');
        stream.on('error', () => undefined);
        other = once(stream, 'data').then(([answer]) => (answer as { infer_response: unknown }).infer_response);
        stream.write(RAW_ROW);
      } else other = infer(client).then(({ response }) => response);
      await running(2);
      await clock.advance(1_000);
      expect(fatal).toEqual([]);
      model.endLatest();
      expect(await other).toMatchObject({ raw_output_contents: [floats(1, 2)] });
      await until(
        () => new Promise((resolve) => setImmediate(() => resolve(fatal.length))),
        (count) => count === 1,
      );
    },
  );

  test('holds no more bytes than there is room for, and frees them', async () => {
    const { client, model, runtime } = await setup();
    model.hold();
    const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
    clients.push(session);
    // Four of the largest messages have room; each is admitted by its length alone.
    const prefix = Buffer.from('0000002710', 'hex');
    const open = Array.from({ length: 4 }, () => {
      const stream = session.request(inferHeaders({ 'pilotlight-tell-admission': '1' }));
      stream.write(prefix);
      return stream;
    });
    await Promise.all(open.map((stream) => once(stream, 'headers')));
    const { trailers } = await infer(client);
    expect(trailers.get('pilotlight-not-admitted')).toEqual(['LimitReached']);
    for (const stream of open) {
      stream.close();
      await once(stream, 'close');
    }
    model.release();
    expect(
      (
        await until(
          () => infer(client),
          ({ error }) => error === undefined,
        )
      ).error,
    ).toBeUndefined();
  });
});

describe('time', () => {
  test('a run that outlasts its timeout is answered DEADLINE_EXCEEDED', async () => {
    const { client, model, clock } = await setup();
    model.hold();
    const answer = infer(client);
    while (model.load.running === 0) await new Promise(setImmediate);
    await clock.advance(60_000);
    expect((await answer).error).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringContaining('60 s'),
    });
  });

  test('what the client cancels is dropped while it waits', async () => {
    const { client, model } = await setup();
    model.hold();
    const first = infer(client);
    while (model.load.running === 0) await new Promise(setImmediate);
    const second = client.call('ModelInfer', RAW_ROW, {
      begun: (call) => {
        void until(
          () => Promise.resolve(model.load.waiting),
          (waiting) => waiting === 1,
        ).then(() => call.cancel());
      },
    });
    expect((await second).error?.code).toBe(status.CANCELLED);
    while (model.load.waiting > 0) await new Promise(setImmediate);
    model.release();
    expect((await first).error).toBeUndefined();
  });

  test('the call’s deadline is kept, also by a client that does not', async () => {
    const { runtime, model, clock } = await setup();
    model.hold();
    const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
    clients.push(session);
    const stream = session.request(inferHeaders({ 'grpc-timeout': '5S' }));
    stream.end(framedRequest(RAW_ROW));
    const answered = once(stream, 'response');
    while (model.load.running === 0) await new Promise(setImmediate);
    await clock.advance(5_000);
    const [headers] = (await answered) as [Record<string, unknown>];
    expect(headers).toMatchObject({ 'grpc-status': '4', 'grpc-message': "The call's deadline is over." });
  });
});

describe('ModelStreamInfer', () => {
  test('answers each message in its place, a bad one too', async () => {
    const { client } = await setup();
    const stream = client.stream('ModelStreamInfer');
    const answers: Record<string, unknown>[] = [];
    stream.on('data', (answer: Record<string, unknown>) => answers.push(answer));
    for (let id = 0; id < 40; id += 1) {
      stream.write({ ...RAW_ROW, id: String(id), ...(id === 7 && { model_name: 'letters' }) });
    }
    stream.end();
    const [{ code }] = (await once(stream, 'status')) as [{ code: number }];
    expect(code).toBe(status.OK);
    expect(answers).toHaveLength(40);
    expect(answers[7]).toMatchObject({ error_message: expect.stringContaining('no model "letters"') });
    expect(answers.flatMap(({ infer_response: response }) => (response as { id?: string } | null)?.id ?? [])).toEqual(
      Array.from({ length: 40 }, (_, id) => String(id)).filter((id) => id !== '7'),
    );
  });

  test('has no more than a batch or two of one stream in the pod', async () => {
    const { client, model } = await setup();
    model.hold();
    const stream = client.stream('ModelStreamInfer');
    stream.resume();
    const row = {
      ...RAW_ROW,
      raw_input_contents: [floats(...Array<number>(2_000).fill(1))],
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1_000, 2] }],
    };
    let written = 0;
    const fill = (): void => {
      while (written < 200) {
        written += 1;
        if (!stream.write(row)) return void stream.once('drain', fill);
      }
    };
    fill();
    await until(
      () => Promise.resolve(model.load.waiting + model.load.running),
      (count) => count >= 4,
    );
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(model.load.waiting + model.load.running).toBeLessThan(32);
    stream.cancel();
    stream.on('error', () => undefined);
    model.release();
  });

  test('ends an idle stream, and every stream when the pod ends', async () => {
    const { client, clock, runtime } = await setup();
    const endOf = (stream: ReturnType<GrpcClient['stream']>): Promise<{ code: number; details: string }> => {
      stream.on('error', () => undefined);
      stream.resume();
      return new Promise((resolve) => stream.once('status', resolve));
    };
    const idle = client.stream('ModelStreamInfer');
    const ended = endOf(idle);
    idle.write(RAW_ROW);
    await once(idle, 'data');
    await clock.advance(60_000);
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('idle for 60 s') });
    const open = client.stream('ModelStreamInfer');
    const closed = endOf(open);
    open.write(RAW_ROW);
    await once(open, 'data');
    const closing = runtime.close();
    expect(await closed).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringContaining('pod is ending') });
    await clock.advance(1_000);
    await closing;
  });
});

test('a connection without a call ends after two minutes, also after it had some', async () => {
  const { runtime, clock } = await testRuntime();
  const silent = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
  clients.push(silent);
  await once(silent, 'remoteSettings');
  const closed = once(silent, 'close');
  await clock.advance(120_000);
  await closed;

  const used = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
  clients.push(used);
  await once(used, 'remoteSettings');
  const timers = clock.pending;
  await clock.advance(119_999);
  const call = used.request({ ':path': '/inference.GRPCInferenceService/ServerLive', ':method': 'POST' });
  call.resume().end(Buffer.alloc(5));
  await once(call, 'close');
  await until(
    () => new Promise<number>((resolve) => setImmediate(() => resolve(clock.pending))),
    (count) => count === timers,
  );
  await clock.advance(119_999);
  expect(used.closed).toBe(false);
  const ended = once(used, 'close');
  await clock.advance(1);
  await ended;
});

describe('beside inference', () => {
  test('says what is served', async () => {
    const { client } = await setup();
    await infer(client);
    expect((await client.call('ServerLive', {})).response).toEqual({ live: true });
    expect((await client.call('ServerReady', {})).response).toEqual({ ready: true });
    expect((await client.call('ModelReady', { name: 'digits' })).response).toEqual({ ready: true });
    expect((await client.call('ServerMetadata', {})).response).toMatchObject({ name: 'pilotlight' });
    expect((await client.call('ModelMetadata', { name: 'digits', version: '1' })).response).toMatchObject({
      versions: ['digits-00001'],
      platform: 'onnx_onnxv1',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
    });
    expect((await client.call('ModelConfig', { name: 'digits' })).response).toMatchObject({
      config: { name: 'digits', backend: 'onnxruntime', input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1, 2] }] },
    });
    expect((await client.call('ModelStatistics', { name: 'digits' })).response).toMatchObject({
      model_stats: [{ inference_count: 1, inference_stats: { success: { count: 1 } } }],
    });
    expect((await client.call('RepositoryIndex', {})).response).toMatchObject({
      models: [{ name: 'digits', state: 'READY' }],
    });
    expect((await client.call('ModelMetadata', { name: 'letters' })).error?.code).toBe(status.NOT_FOUND);
  });

  test('checks health', async () => {
    const health = clientOf(await testRuntime(), 'grpc.health.v1.Health');
    for (const service of ['', 'inference.GRPCInferenceService']) {
      expect((await health.call('Check', { service })).response).toEqual({ status: 'SERVING' });
    }
    expect((await health.call('Check', { service: 'x' })).error?.code).toBe(status.NOT_FOUND);
  });

  test.each(['v1', 'v1alpha'])('describes itself to tools (%s)', async (version) => {
    const stream = clientOf(await testRuntime(), `grpc.reflection.${version}.ServerReflection`).stream(
      'ServerReflectionInfo',
    );
    const answer = async (question: Fields): Promise<Record<string, unknown>> => {
      stream.write(question);
      const [answered] = (await once(stream, 'data')) as [Record<string, unknown>];
      return answered;
    };
    expect(await answer({ list_services: '' })).toMatchObject({
      list_services_response: { service: expect.arrayContaining([{ name: 'inference.GRPCInferenceService' }]) },
    });
    for (const question of [
      { file_containing_symbol: 'inference.GRPCInferenceService' },
      { file_by_filename: 'inference.proto' },
    ]) {
      const { file_descriptor_response: files } = await answer(question);
      expect(String((files as { file_descriptor_proto: Buffer[] }).file_descriptor_proto[0])).toContain(
        'ModelInferRequest',
      );
    }
    expect(await answer({ file_containing_symbol: 'nothing' })).toMatchObject({
      error_response: { error_code: status.NOT_FOUND },
    });
    stream.on('error', () => undefined);
    stream.end();
    await once(stream, 'status');
  });

  test.each([
    [{ ':path': '/inference.GRPCInferenceService/Nothing' }, 'There is no method'],
    [{ ':path': '/v2', ':method': 'GET' }, 'Only gRPC'],
    [{ 'content-type': 'application/json' }, 'Only gRPC'],
  ])('%j is UNIMPLEMENTED', async (given, sentence) => {
    const { runtime } = await testRuntime();
    const session = connectHttp2(`http://127.0.0.1:${runtime.ports.grpc}`);
    clients.push(session);
    const stream = session.request({ ...inferHeaders(), ...given });
    const [headers] = (await once(stream, 'response')) as [Record<string, unknown>];
    expect(headers).toMatchObject({
      ':status': 200,
      'grpc-status': '12',
      'grpc-message': expect.stringContaining(sentence),
    });
    stream.resume();
  });
});

test('what is not HTTP/2 closes its own connection and no other', async () => {
  const { client, runtime } = await setup();
  const socket = connect(runtime.ports.grpc, '127.0.0.1');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.resume();
  await closed;
  expect((await infer(client)).error).toBeUndefined();
});

test('a connection waits for the model, and is answered once that is warm', async () => {
  const { promise, resolve } = Promise.withResolvers<Model>();
  const started = await testRuntime({}, promise);
  const answer = infer(clientOf(started));
  await new Promise(setImmediate);
  resolve(started.model);
  expect((await answer).error).toBeUndefined();
});

function inferHeaders(more: Record<string, string> = {}): Record<string, string> {
  return {
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...more,
  };
}

async function until<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    await new Promise(setImmediate);
  }
}
